from __future__ import annotations

import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler

import docker
import pytest

from curtainup.errors import Interrupted, ReleaseUnhealthy
from curtainup.gates.asking import Asking
from curtainup.gates.health import Look, look, wait_until_healthy
from curtainup.model.trouble import Trouble
from curtainup.platforms.docker.container import Container
from curtainup.setup.base_images import catalogue, images
from tests import loopback

PORT = 8080
PING = Asking("/ping", timeout=60)
"""A request that takes long here is not given up: every server of these tests answers."""
SERVER = """
import http.server, os, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response({status})
        self.send_header("Content-Length", "0")
        self.end_headers()
server = http.server.HTTPServer(("{host}", {port}), Handler)
print("listening", os.environ["PORT"], flush=True)
server.serve_forever()
"""
IPV6_SERVER = """
import socket, time
listener = socket.socket(socket.AF_INET6)
listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
listener.bind(("::", 8080))
listener.listen()
print("listening", flush=True)
while True:
    listener.accept()[0].close()
"""
CRASH = """
import sys, traceback
try:
    open("/etc/models.py", "w")
except PermissionError:
    print("[7] [ERROR] Exception in worker process", file=sys.stderr)
    traceback.print_exc()
for number in range(40):
    print(f"[{number}] [INFO] Worker exiting, booting", file=sys.stderr)
class HaltServer(BaseException): pass
try:
    raise HaltServer("Worker failed to boot.")
except HaltServer:
    traceback.print_exc()
sys.exit(3)
"""

Start = Callable[..., tuple[str, Container]]


def server(host: str = "0.0.0.0", port: int = PORT, status: int = 200) -> list[str]:
    return ["python3", "-c", SERVER.format(host=host, port=port, status=status)]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts a container of the base image; gives its URL on the loopback interface and itself."""
    client = docker.from_env()
    images.ensure(client, print)
    names: list[str] = []

    def run(
        command: list[str], *, redact: Callable[[str], str] = str, **options: object
    ) -> tuple[str, Container]:
        names.append(f"cu-health-test-{uuid.uuid4().hex[:8]}")
        container = client.containers.run(
            catalogue.REFERENCES["base"],
            command,
            name=names[-1],
            detach=True,
            environment={"PORT": str(PORT)},
            ports={f"{PORT}/tcp": ("127.0.0.1", None)},
            init=True,
            **options,  # type: ignore[call-overload]
        )
        container.reload()
        bindings = container.ports.get(f"{PORT}/tcp") or [{"HostPort": "1"}]
        return f"http://127.0.0.1:{bindings[0]['HostPort']}", Container(
            lambda: client, names[-1], PORT, redact
        )

    yield run
    for name in names:
        client.api.remove_container(name, force=True, v=True)
    client.close()


def listening(container: Container) -> Container:
    """The same container, once its server has said that it listens."""
    deadline = time.monotonic() + 60
    while b"listening" not in container.client.api.logs(container.name):
        assert time.monotonic() < deadline, "the test's own server did not start"
        threading.Event().wait(0.05)
    return container


def unhealthy(url: str, container: Container, timeout: float = 60) -> ReleaseUnhealthy:
    with pytest.raises(ReleaseUnhealthy) as caught:
        wait_until_healthy(url, PING, container, timeout=timeout, cancelled=threading.Event())
    assert container.name in (caught.value.where or "")
    assert caught.value.fix
    return caught.value


@pytest.mark.docker
def test_returns_once_the_release_answers(start: Start) -> None:
    url, container = start(server())
    seconds = wait_until_healthy(url, PING, container, timeout=60, cancelled=threading.Event())
    assert 0 < seconds < 60


@pytest.mark.docker
def test_an_exited_container_fails_at_once_with_its_last_lines_and_without_secrets(start: Start) -> None:
    script = 'i=0; while [ $i -lt 30 ]; do echo "line $i"; i=$((i+1)); done; echo "the key is s3cret"; exit 3'
    url, container = start(["sh", "-c", script], redact=lambda text: text.replace("s3cret", "***"))
    error = unhealthy(url, container, timeout=600)
    assert error.what == "the release's container exited with code 3"
    lines = (error.detail or "").splitlines()
    assert len(lines) == 20
    assert lines[-1] == "the key is ***"
    assert "line 29" in lines
    assert "line 1" not in lines


@pytest.mark.docker
def test_a_container_that_keeps_restarting_fails_at_once(start: Start) -> None:
    url, container = start(["sh", "-c", "echo no such table; exit 4"], restart_policy={"Name": "always"})
    error = unhealthy(url, container, timeout=600)
    assert error.what == "the release's container exited with code 4"
    assert "no such table" in (error.detail or "")


@pytest.mark.docker
def test_a_restarted_container_that_runs_again_still_tells_its_exit_code(start: Start) -> None:
    script = "test -e /tmp/once && exec sleep 600; touch /tmp/once; exit 5"
    url, container = start(["sh", "-c", script], restart_policy={"Name": "always"})
    assert unhealthy(url, container, timeout=600).what == "the release's container exited with code 5"


@pytest.mark.docker
def test_a_missing_program_is_explained(start: Start) -> None:
    url, container = start(["sh", "-c", "gunicorn-of-old server:app"])
    error = unhealthy(url, container)
    assert error.what.startswith("the release's container exited with code 127: ")
    assert "gunicorn-of-old: not found" in error.what
    assert "was not found" in (error.fix or "")


@pytest.mark.docker
def test_want_of_memory_is_explained(start: Start) -> None:
    command = ["python3", "-c", "x = bytearray(500_000_000)"]
    url, container = start(command, mem_limit="32m", memswap_limit="32m")
    error = unhealthy(url, container)
    assert "killed: it used more than its 32 MiB of memory" in error.what
    assert "memory_limit" in (error.fix or "")


@pytest.mark.docker
def test_a_container_that_is_gone_fails_at_once(start: Start) -> None:
    url, container = start(server(port=9999))
    container.client.api.rename(container.name, f"{container.name}-away")
    try:
        assert unhealthy(url, container, timeout=600).what == "the release's container is gone"
    finally:
        container.client.api.rename(f"{container.name}-away", container.name)


@pytest.mark.docker
def test_the_wrong_port_is_named(start: Start) -> None:
    url, container = start(server(port=9999))
    error = unhealthy(url, listening(container), timeout=0.5)
    assert error.what == "the release did not answer within 0.5 s: it listens on 9999, not on PORT=8080"
    assert "variable PORT" in (error.fix or "")
    assert "GET /ping: " in (error.detail or "")
    assert "listening 8080" in (error.detail or "")


@pytest.mark.docker
def test_what_the_service_raised_is_named_though_redis_listens_beside_it(start: Start) -> None:
    crash = "try: 1 / 0\nexcept Exception:\n import traceback; traceback.print_exc()\n"
    url, container = start(["python3", "-c", crash + SERVER.format(host="127.0.0.1", port=6379, status=200)])
    error = unhealthy(url, listening(container), timeout=0.5)
    assert error.what.endswith(
        ": it does not listen on PORT=8080, and raised ZeroDivisionError: division by zero"
    )
    assert error.fix == "correct the error that its output names"


@pytest.mark.docker
def test_what_listens_beside_the_service_is_named_if_nothing_else_is_known(start: Start) -> None:
    url, container = start(server(host="127.0.0.1", port=6379))
    what = unhealthy(url, listening(container), timeout=0.5).what
    assert what.endswith("it listens on 127.0.0.1:6379, not on PORT=8080")


@pytest.mark.docker
def test_the_wrong_port_is_named_in_an_image_without_cat(start: Start) -> None:
    python = server(port=9999)
    url, container = start(["sh", "-c", 'rm "$(command -v cat)"; exec python3 -c "$0"', python[2]])
    assert "it listens on 9999, not on PORT=8080" in unhealthy(url, listening(container), timeout=0.5).what


@pytest.mark.docker
def test_listening_on_loopback_only_is_named(start: Start) -> None:
    url, container = start(server(host="127.0.0.1"))
    error = unhealthy(url, listening(container), timeout=0.5)
    assert error.what.endswith("it listens on 127.0.0.1:8080 only")
    assert "0.0.0.0:8080" in (error.fix or "")


@pytest.mark.docker
def test_listening_nowhere_is_named(start: Start) -> None:
    url, container = start(["sleep", "600"])
    error = unhealthy(url, container, timeout=1)
    assert error.what.endswith("it does not listen on any port, PORT=8080 included")
    assert "(it wrote nothing)" in (error.detail or "")


@pytest.mark.docker
def test_the_last_answer_is_named(start: Start) -> None:
    url, container = start(server(status=404))
    error = unhealthy(url, listening(container), timeout=0.5)
    assert error.what == "the release did not answer within 0.5 s: GET /ping: HTTP 404"
    assert "GET /ping answer 200" in (error.fix or "")


@pytest.mark.docker
def test_an_answer_that_no_waiting_will_change_ends_the_wait(start: Start) -> None:
    url, container = start(server(status=404))
    with pytest.raises(ReleaseUnhealthy) as caught:
        wait_until_healthy(
            url, PING, listening(container), timeout=600, cancelled=threading.Event(), lasting=0.3
        )
    assert caught.value.what == (
        "the release answers, and no waiting will change the answer: GET /ping: HTTP 404"
    )


@pytest.mark.docker
def test_listening_for_ipv6_only_is_named(start: Start) -> None:
    url, container = start(["python3", "-c", IPV6_SERVER])
    error = unhealthy(url, listening(container), timeout=0.5)
    assert error.what.endswith("it listens on [::]:8080 for IPv6 only, and is reached over IPv4")
    assert "0.0.0.0:8080" in (error.fix or "")


@pytest.mark.docker
def test_a_server_for_both_families_that_does_not_answer_is_not_told_to_be_for_ipv6(start: Start) -> None:
    url, container = start(["python3", "-c", IPV6_SERVER.replace("IPV6_V6ONLY, 1", "IPV6_V6ONLY, 0")])
    assert "IPv6" not in unhealthy(url, listening(container), timeout=0.5).what


@pytest.mark.docker
def test_a_crash_is_told_by_its_exception_and_not_by_what_the_server_says_after_it(start: Start) -> None:
    url, container = start(["python3", "-c", CRASH], user="nobody")
    error = unhealthy(url, container)
    assert error.what == (
        "the release's container exited with code 3: "
        "PermissionError: [Errno 13] Permission denied: '/etc/models.py'"
    )
    assert "runs as user nobody" in (error.fix or "")
    assert (error.detail or "").splitlines()[-1].startswith("PermissionError")
    assert "booting" not in (error.detail or "")


def test_an_answer_may_be_slow_and_does_not_delay_the_deadline() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(ReleaseUnhealthy) as caught:
            wait_until_healthy(url, PING, None, timeout=0.3, cancelled=threading.Event())
    assert "GET /ping: no answer within " in caught.value.what
    assert "health_timeout: 60" in (caught.value.fix or "")


@contextmanager
def serving(status: int, **headers: str) -> Iterator[str]:
    """Serve one answer to everything, on this machine."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name.replace("_", "-"), value)
            self.end_headers()

    with loopback.serving(Handler) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.fixture
def named() -> Iterator[str]:
    """A server on this machine that names release r000001."""
    with serving(503, Curtainup_Release="r000001") as url:
        yield url


@pytest.fixture
def well() -> Iterator[str]:
    """A server on this machine that answers well."""
    with serving(204) as url:
        yield url


class Copies:
    """A release of several copies, which get there one after another."""

    answers_itself = True

    def __init__(self, *lacking: str) -> None:
        self.lacking = list(lacking)

    def raise_if_down(self) -> None:
        """None of them is down."""

    def lacks(self) -> Trouble | None:
        last = len(self.lacking) == 1 and self.lacking[0] == "for ever"
        what = "for ever" if last else self.lacking.pop(0) if self.lacking else None
        return Trouble(what, "wait", answered=True) if what else None

    def unhealthy(self, url: str, seconds: float, trouble: Trouble) -> ReleaseUnhealthy:
        return ReleaseUnhealthy(trouble.headline(seconds), where=url)


def test_an_answer_is_not_enough_until_all_copies_are_there(well: str) -> None:
    copies = Copies("0 of 2 are ready", "1 of 2 are ready")
    wait_until_healthy(well, PING, copies, timeout=60, cancelled=threading.Event())
    assert copies.lacking == []


def test_copies_that_never_get_there_are_told_in_the_end(well: str) -> None:
    with pytest.raises(ReleaseUnhealthy, match=r"within 0\.3 s: for ever"):
        wait_until_healthy(well, PING, Copies("for ever"), timeout=0.3, cancelled=threading.Event())


class Roomless(Copies):
    """A release that waits for room at first."""

    def delay(self) -> float:
        return 0.4


def test_the_time_until_a_release_has_room_is_not_its_own() -> None:
    began = time.monotonic()
    with pytest.raises(ReleaseUnhealthy, match=r"within 0\.5 s"):
        wait_until_healthy("http://127.0.0.1:1", PING, Roomless(), timeout=0.1, cancelled=threading.Event())
    assert time.monotonic() - began >= 0.5


def test_without_a_container_the_time_out_says_what_answered(named: str) -> None:
    with pytest.raises(ReleaseUnhealthy) as caught:
        wait_until_healthy(named, PING, None, timeout=0.2, cancelled=threading.Event())
    assert caught.value.what == "the release did not answer within 0.2 s: GET /ping: HTTP 503"
    assert caught.value.where == named


def test_can_be_cancelled(named: str) -> None:
    cancelled = threading.Event()
    cancelled.set()
    with pytest.raises(Interrupted):
        wait_until_healthy(named, PING, None, timeout=600, cancelled=cancelled)


def test_a_dead_engine_is_not_a_dead_release() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{closed.getsockname()[1]}"
        client = docker.DockerClient(f"tcp://{address}", version="1.41")
        error = unhealthy(f"http://{address}", Container(lambda: client, "any", PORT), timeout=0.5)
    assert "Connection refused" in error.what
    client.close()


def test_tells_the_release_that_answers(named: str) -> None:
    assert look(named, PING) == Look("r000001", "HTTP 503")


def test_no_answer_is_no_release() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        found = look(f"http://127.0.0.1:{closed.getsockname()[1]}", PING)
    assert found == Look(None, "ConnectionRefusedError: Connection refused")


@pytest.mark.docker
@pytest.mark.parametrize("end", ["stop", "pause"])
def test_a_container_that_somebody_stopped_or_paused_is_started(start: Start, end: str) -> None:
    url, container = start(server())
    wait_until_healthy(url, PING, container, timeout=60, cancelled=threading.Event())
    getattr(container.client.containers.get(container.name), end)()

    container.start()

    state = container.client.api.inspect_container(container.name)["State"]
    assert (state["Running"], state["Paused"]) == (True, False)
    container.start()


@pytest.mark.docker
def test_a_container_that_is_gone_is_not_started() -> None:
    client = docker.from_env()
    Container(lambda: client, "cu-health-test-none", PORT).start()
    client.close()
