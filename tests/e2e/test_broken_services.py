"""Services that cannot be built, or whose containers never serve: live keeps the release that it has."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.load import users
from tests.e2e.service import Finished, Service

pytestmark = pytest.mark.matrix(
    reason="test_failing_gates shows once that a step which fails leaves live as it is"
)

DOCKERFILE = """\
ARG CURTAINUP_BASE=python:3.11-slim
FROM ${CURTAINUP_BASE}
COPY server.py ./
CMD %s
"""
EXITS = '["sh", "-c", "echo no database; exit 4"]'
LISTENS_ELSEWHERE = '["python3", "-m", "http.server", "9999"]'
LISTENS_TO_ITSELF = '["sh", "-c", "exec python3 -m http.server --bind 127.0.0.1 $PORT"]'

ENDLESS = """\
import os, socket, threading, time
def answer(connection):
    connection.recv(65536)
    piece = b"%s"
    connection.sendall(b"" if piece.startswith(b"HTTP") else b"HTTP/1.1 200 OK\\r\\n")
    while True:
        connection.sendall(piece)
        time.sleep(1)
server = socket.create_server(("0.0.0.0", int(os.environ["PORT"])))
while True:
    threading.Thread(target=answer, args=(server.accept()[0],), daemon=True).start()
"""


@pytest.fixture
def broken(deployed: Service) -> Iterator[Service]:
    """The deployed service, whose next version a test breaks; undone in git afterwards."""
    good = deployed.git("rev-parse", "HEAD").strip()
    config = deployed.config
    yield deployed
    deployed.git("reset", "--quiet", "--hard", good)
    deployed.config = config


def fail(service: Service, code: int) -> Finished:
    """Deploy what cannot be deployed, and check that users of live have not seen any of it."""
    live, staging = service.traffic("live"), service.traffic("staging")
    containers = service.host.containers()
    with users(service.url("live")) as answers:
        done = service.deploy(code=code)
    assert answers.failures == []
    assert set(answers.releases) == {one for one, percent in live.items() if percent}
    assert service.traffic("live") == live
    assert set(service.traffic("staging")) >= set(staging)
    assert set(service.host.containers("live")) == {name for name in containers if "-live-" in name}
    assert service.host.containers("local") == []
    result = service.last_run().result
    assert result is not None
    assert (result.outcome, result.exit_code) == ("failed", code)
    return done


def test_a_broken_build_shows_the_end_of_its_output(broken: Service) -> None:
    broken.write("Dockerfile.extra", "RUN echo the compiler is missing && exit 3\n")
    broken.commit("Break the build")

    done = fail(broken, 8)

    assert "the compiler is missing" in done.err


def test_a_wrong_dockerfile_is_a_broken_build(broken: Service) -> None:
    broken.write("Dockerfile", "FORM nothing\n")
    broken.commit("Break the Dockerfile")

    done = fail(broken, 8)

    assert "FORM" in done.err


def test_a_container_that_exits_at_once_is_told_by_its_last_words(broken: Service) -> None:
    broken.write("Dockerfile", DOCKERFILE % EXITS)
    broken.commit("Exit")

    done = fail(broken, 14)

    assert "exited with code 4" in done.err
    assert "no database" in done.err


@pytest.mark.parametrize(
    ("command", "message"),
    [(LISTENS_ELSEWHERE, "listens on 9999, not on PORT=8080"), (LISTENS_TO_ITSELF, "127.0.0.1:8080 only")],
)
def test_a_container_on_the_wrong_port_is_told_so(broken: Service, command: str, message: str) -> None:
    broken.write("Dockerfile", DOCKERFILE % command)
    broken.configure(start_timeout=10)

    done = fail(broken, 14)

    assert message in done.err


def test_a_container_that_never_turns_healthy_is_given_up(broken: Service) -> None:
    broken.configure(health_path="/nowhere", start_timeout=10)

    done = fail(broken, 14)

    assert "did not answer within 10 s" in done.err
    assert "GET /nowhere" in done.err


@pytest.mark.parametrize("environment", ["staging", "live"])
def test_a_release_that_exits_in_one_environment_is_removed_there(broken: Service, environment: str) -> None:
    crash = (
        f'if os.environ.get("PYM_ENV", "").endswith("-{environment}"):\n    raise SystemExit("no database")\n'
    )
    broken.edit("server.py", "app = Flask(__name__)\n", f"app = Flask(__name__)\n{crash}")
    before = broken.host.releases(environment)

    done = fail(broken, 14)

    assert "exited" in done.err
    assert broken.host.releases(environment) == before


def test_the_next_good_version_goes_live(deployed: Service) -> None:
    deployed.greet("mended")

    deployed.deploy()

    assert deployed.get("live").json()["says"] == "mended"


@pytest.mark.parametrize("piece", ["X-A: b\\r\\n", "HTTP/1.1 100 Continue\\r\\n\\r\\n"])
def test_an_answer_without_end_does_not_outlast_the_start_timeout(broken: Service, piece: str) -> None:
    dockerfile = DOCKERFILE % '["python3", "endless.py"]'
    broken.write("Dockerfile", dockerfile.replace("server.py", "endless.py"))
    broken.write("endless.py", ENDLESS % piece)
    broken.configure(start_timeout=5)

    assert "did not answer within 5 s" in fail(broken, 14).err


def test_a_file_that_dockerignore_leaves_out_is_named(broken: Service) -> None:
    broken.write(".dockerignore", "*\n!server.py\n")
    broken.commit("Allow one file")

    done = fail(broken, 8)

    assert ".dockerignore leaves out " in done.err


def test_a_crash_is_told_by_its_exception_and_the_user_who_lacked_a_permission(broken: Service) -> None:
    line = '"PYM_ENV" in os.environ and open("/etc/models.py", "w")\n'
    broken.edit("server.py", "app = Flask(__name__)\n", f"{line}app = Flask(__name__)\n")

    done = fail(broken, 14)

    assert "PermissionError: [Errno 13] Permission denied: '/etc/models.py'" in done.err
    assert "runs as user app" in done.err
    assert "HaltServer" not in done.err
