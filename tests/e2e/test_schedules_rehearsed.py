"""Schedules on the stand-in of Cloud Run, from the first release to the end."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from curtainup.rehearsal.faults import Faults
from curtainup.rehearsal.gcp.cloud_run import executions
from curtainup.rehearsal.gcp.scheduler import calls
from curtainup.rehearsal.kind import Cloud
from tests.e2e.rehearsed import CLOUD_RUN, Rehearsed, rehearsed
from tests.e2e.test_rehearsal_cloud_run import PROJECT, REGION, project

pytestmark = pytest.mark.matrix(reason="test_schedules shows them once, on a Docker host")

SCRIPT = """\
import hashlib, os, sys
proof = hashlib.sha256(os.environ["HELLO_SECRET"].encode()).hexdigest()[:8]
print(os.environ["PYM_ENV"], os.environ["VERSION"], proof, flush=True)
sys.exit(int(os.environ.get("CLEANUP_EXIT", "0")))
"""
PROOF = "41ef4bb0"
"""How the SHA-256 of the secret begins."""
SCHEDULE = {
    "cleanup": {
        "command": ["python3", "-c", SCRIPT],
        "cron": "0 3 * * *",
        "timezone": "Europe/Stockholm",
        "time_limit": "2m",
    }
}
PATIENCE = 60.0


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, service_python: Path) -> Iterator[Rehearsed]:
    folder = tmp_path_factory.mktemp("e2e")
    with rehearsed(folder, service_python, **CLOUD_RUN, schedule=SCHEDULE) as one:
        yield one


def job_of(service: Rehearsed, environment: str) -> str:
    name = f"{service.name}-{environment}-cleanup-schedule"
    return f"projects/{PROJECT}/locations/{REGION}/jobs/{name}"


def fired(service: Rehearsed, environment: str) -> dict[str, Any]:
    """Have Cloud Scheduler call as if the schedule were due; return the execution once it has ended."""
    job, home = job_of(service, environment), service.rehearsal
    before = set(executions.names(home, job))
    assert calls.make(Cloud(home, Faults()), job) == calls.OK
    [name] = set(executions.names(home, job)) - before
    deadline = time.monotonic() + PATIENCE
    while not (found := executions.look(home, name)).get("completionTime"):
        assert time.monotonic() < deadline
    return found


def written(service: Rehearsed, execution: dict[str, Any]) -> str:
    name = service.rehearsal.docker_name("job", str(execution["name"]).rpartition("/")[2])
    return service.host.client.containers.get(name).logs().decode()


def test_a_run_is_in_the_release_that_works_with_its_secrets(service: Rehearsed) -> None:
    service.deploy()

    for environment in ("staging", "live"):
        told = fired(service, environment)
        version = service.last_run().version
        assert told["creator"] == f"{service.name}-{environment}-scheduler@{PROJECT}.iam.gserviceaccount.com"
        assert written(service, told) == f"{service.name}-{environment} {version} {PROOF}\n"


def test_a_second_update_is_empty(service: Rehearsed) -> None:
    service.run("preview", code=0)
    updates, cloud = service.updates(), project(service)
    assert service.deploy("--json").json()["changed"] is False
    assert (service.updates(), project(service)) == (updates, cloud)
    service.refresh("live")
    service.run("preview", code=0)


def test_the_next_release_takes_over_and_a_rollback_gives_back(service: Rehearsed) -> None:
    [old] = service.status("live")["releases"]
    service.greet("second")
    service.deploy()
    new = service.last_run().version

    assert f" {new} " in written(service, fired(service, "live"))
    service.run("rollback")
    assert f" {old['version']} " in written(service, fired(service, "live"))


def test_destroy_leaves_nothing(service: Rehearsed) -> None:
    assert project(service)["schedulerJobs"]

    service.run("destroy", "--confirm", service.name)

    assert service.left() == []
    kept = {kind: found for kind, found in project(service).items() if found and kind != "apis"}
    assert kept == {}
