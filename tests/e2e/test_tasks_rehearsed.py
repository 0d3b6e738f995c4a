"""Tasks on the stand-in clouds: where the release is, with its variables and secrets, before its traffic."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.rehearsed import BEANSTALK, CLOUD_RUN, Rehearsed, rehearsed

pytestmark = pytest.mark.matrix(reason="test_tasks shows them once, on a Docker host")

TASK = """\
import hashlib, os, sys
secret = os.environ["HELLO_SECRET"]
print(os.environ["PYM_ENV"], os.environ["VERSION"], secret, hashlib.sha256(secret.encode()).hexdigest()[:8])
sys.exit("no such table: users" if os.environ["PYM_ENV"].endswith("-live") else 0)
"""
PROOF = "41ef4bb0"
"""How the SHA-256 of the secret begins."""


@pytest.fixture(scope="module", params=[CLOUD_RUN, BEANSTALK], ids=["cloud-run", "beanstalk"])
def service(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, service_python: Path
) -> Iterator[Rehearsed]:
    tasks = [{"name": "migrate", "command": ["python3", "-c", TASK], "timeout": "2m"}, "true"]
    folder = tmp_path_factory.mktemp("e2e")
    with rehearsed(folder, service_python, **request.param, tasks=tasks) as one:
        yield one


def log(service: Rehearsed, environment: str) -> str:
    return (service.last_run_folder() / "tasks" / f"{environment}-migrate.log").read_text()


def test_tasks_run_where_the_release_is_and_one_that_fails_stops_the_run(service: Rehearsed) -> None:
    done = service.deploy(code=25)

    record = service.last_run()
    assert [(one.environment, one.name, one.exit_code) for one in record.tasks] == [
        ("staging", "migrate", 0),
        ("staging", "task-2", 0),
        ("live", "migrate", 1),
    ]
    assert f"{service.name}-staging {record.version} *** {PROOF}\n" in log(service, "staging")
    assert f"{service.name}-live {record.version} *** {PROOF}\n" in log(service, "live")
    assert "no such table: users\n" in log(service, "live")
    assert "task migrate for live failed with exit code 1" in done.err
    assert "no such table: users" in done.err
    assert list(service.traffic("staging").values()) == [100]
    assert service.traffic("live") == {}, "the candidate is gone, and it was the first"
    steps = [one.name for one in record.steps]
    assert steps.index("staging-tasks") < steps.index("staging")
    assert "candidate-gate" not in steps
