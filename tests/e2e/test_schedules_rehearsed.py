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
    },
    "nap": {"command": "sleep 600", "cron": "0 4 * * *"},
}
PATIENCE = 60.0


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, service_python: Path) -> Iterator[Rehearsed]:
    folder = tmp_path_factory.mktemp("e2e")
    with rehearsed(folder, service_python, **CLOUD_RUN, schedule=SCHEDULE) as one:
        yield one


def job_of(service: Rehearsed, environment: str, schedule: str = "cleanup") -> str:
    name = f"{service.name}-{environment}-{schedule}-schedule"
    return f"projects/{PROJECT}/locations/{REGION}/jobs/{name}"


def called(service: Rehearsed, job: str) -> str:
    """Have Cloud Scheduler call as if a schedule were due; return the execution that begins."""
    home, deadline = service.rehearsal, time.monotonic() + PATIENCE
    before = set(executions.names(home, job))
    while (code := calls.make(Cloud(home, Faults()), job)) == calls.PERMISSION_DENIED:
        assert time.monotonic() < deadline, "the grant is never enforced"
    assert code == calls.OK
    [name] = set(executions.names(home, job)) - before
    return name


def fired(service: Rehearsed, environment: str) -> dict[str, Any]:
    """Have the cleanup be due; return its execution once it has ended."""
    home, name = service.rehearsal, called(service, job_of(service, environment))
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


def cleanup(service: Rehearsed) -> dict[str, Any]:
    """What status says of the cleanup."""
    found: list[dict[str, Any]] = service.status("live")["schedules"]
    [one] = [one for one in found if one["schedule"] == "cleanup"]
    return one


def test_somebody_runs_it_now(service: Rehearsed) -> None:
    done = service.run("schedule", "run", "cleanup")

    assert f"{service.name}-live " in done.out
    assert PROOF in done.out
    last = cleanup(service)["last"]
    assert (last["due"], last["outcome"], last["exit_code"]) == (None, "ok", 0)
    ran = service.last_run().ran
    assert ran is not None
    assert (ran.schedule, ran.exit_code) == ("cleanup", 0)


def test_none_starts_beside_another(service: Rehearsed) -> None:
    name = called(service, job_of(service, "live", "nap"))

    done = service.run("schedule", "run", "nap", code=23)

    short = name.rpartition("/")[2]
    assert f"Cloud Run execution {short}" in done.err
    executions.cancel(service.rehearsal, name)
    assert executions.look(service.rehearsal, name)["completionTime"]


def test_one_that_fails_is_in_the_status_and_told(service: Rehearsed) -> None:
    service.configure(env={"CLEANUP_EXIT": "3"})
    service.deploy()
    fired(service, "live")

    last = cleanup(service)["last"]
    assert (last["outcome"], last["exit_code"], last["why"]) == ("failed", 3, "exit code 3")
    assert last["due"] is not None
    assert "failed" in service.run("schedule", "check", "cleanup", code=37).out
    assert service.run("schedule", "run", "cleanup", code=3).err.endswith("exit code 3\n")


def test_one_that_nobody_called_is_missed(service: Rehearsed) -> None:
    job = job_of(service, "live", "nap")
    with service.rehearsal.cloud("gcp") as state:
        state["projects"][PROJECT]["schedulerJobs"][job]["userUpdateTime"] = "2026-01-01T00:00:00Z"

    told = service.run("schedule", "check", "nap", "--within", "3d", code=37).out

    assert told.count("missed: Cloud Scheduler began no run") in {2, 3}


def test_destroy_leaves_nothing(service: Rehearsed) -> None:
    assert project(service)["schedulerJobs"]

    service.run("destroy", "--confirm", service.name)

    assert service.left() == []
    kept = {kind: found for kind, found in project(service).items() if found and kind != "apis"}
    assert kept == {}
