"""Tasks run in the new image before the new release has traffic, and stop the run when they fail."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from docker.models.containers import Container

from curtainup.model.run import RunRecord
from tests.e2e.leftovers import assert_nothing_left
from tests.e2e.load import users
from tests.e2e.service import Service
from tests.e2e.underway import Underway, underway

MATRIX = pytest.mark.matrix(
    reason="test_users_stay_on_the_old_release_until_the_tasks_are_done and a failing one show tasks once"
)

SECRETS = {"HELLO_SECRET": "open sesame", "LIVE_ONLY": "behind the curtain"}
CHECK = """\
import hashlib, os
names = ("HELLO_SECRET", "LIVE_ONLY")
print(os.environ["PYM_ENV"], os.environ["VERSION"], sorted(set(names) & set(os.environ)))
for name in names:
    value = os.environ.get(name, "")
    print("it is", value, hashlib.sha256(value.encode()).hexdigest()[:8])
"""
HELD = """\
import os, pathlib, time
print("held", flush=True)
while os.environ["PYM_ENV"].endswith("-live") and not pathlib.Path("/tmp/go").exists():
    time.sleep(0.05)
"""
FAILS_ON_LIVE = """\
import os, sys
sys.exit("no such table: users" if os.environ["PYM_ENV"].endswith("-live") else 0)
"""


def task(name: str, script: str) -> dict[str, Any]:
    return {"name": name, "command": ["python3", "-c", script]}


hold = task("hold", HELD)


@pytest.fixture(scope="module")
def tasked(service: Service) -> Service:
    """A service with a first version on live, whose secrets differ between the environments."""
    service.environ |= SECRETS
    live = {"env_secrets": ["HELLO_SECRET", "LIVE_ONLY"]}
    service.configure(tasks=[task("check", CHECK)], environments={"live": live})
    service.deploy()
    return service


def steps(record: RunRecord) -> list[str]:
    return [one.name for one in record.steps]


def log(service: Service, environment: str, name: str) -> str:
    return (service.last_run_folder() / "tasks" / f"{environment}-{name}.log").read_text()


def new_version(service: Service, *tasks: Any, **sections: dict[str, Any]) -> None:
    """Commit a version with other tasks; those of staging and of the local gate are their own, if given."""
    sections = {"live": service.config["environments"]["live"], **sections}
    service.configure(tasks=list(tasks), environments=sections)


@contextmanager
def untouched(service: Service) -> Iterator[None]:
    """Live is what it was before, its users saw nothing, and no task's container is left."""
    before = service.traffic("live")
    with users(service.url("live")) as answers:
        yield
    assert answers.failures == []
    assert set(answers.releases) == {one for one, share in before.items() if share}
    assert service.traffic("live") == before
    assert task_of(service) is None
    assert_nothing_left(service)


def task_of(service: Service) -> Container | None:
    """The container of a task."""
    wanted: dict[str, str | list[str] | bool] = {
        "label": [f"curtainup.service={service.name}", "curtainup.task"]
    }
    found = service.host.client.containers.list(all=True, filters=wanted, ignore_removed=True)
    return found[0] if found else None


def wait_until_held(service: Service, run: Underway) -> Container:
    """Wait until the task that waits on live is there."""
    run.wait_until(lambda: "live-tasks: ... hold: held" in run.err, "the task on live")
    found = task_of(service)
    assert found is not None
    return found


def test_tasks_come_before_traffic_in_both_environments(tasked: Service) -> None:
    record = tasked.last_run()

    order = [name for name in steps(record) if name.startswith(("staging", "candidate", "live", "shift"))]
    assert order == [
        "staging-stage",
        "staging-tasks",
        "staging-start",
        "staging",
        "staging-gate",
        "candidate",
        "live-tasks",
        "live-start",
        "candidate-gate",
        "shift",
        "live-gate",
    ]
    assert [(one.environment, one.name, one.exit_code) for one in record.tasks] == [
        ("local", "check", 0),
        ("staging", "check", 0),
        ("live", "check", 0),
    ]
    assert steps(record).index("local-tasks") < steps(record).index("local")
    assert log(tasked, "local", "check").startswith(f"dev {record.version} ['HELLO_SECRET']\n")
    assert {one.release for one in record.tasks if one.environment != "local"} == {
        *tasked.traffic("staging"),
        *tasked.traffic("live"),
    }


def test_each_sees_the_variables_and_secrets_of_its_environment(tasked: Service) -> None:
    version = tasked.last_run().version

    staging, live = log(tasked, "staging", "check"), log(tasked, "live", "check")

    assert staging.startswith(f"{tasked.name}-staging {version} ['HELLO_SECRET']\n")
    assert live.startswith(f"{tasked.name}-live {version} ['HELLO_SECRET', 'LIVE_ONLY']\n")
    assert live.count("it is *** ") == 2
    assert "a425b699" in live, "and the value itself has arrived: the beginning of its SHA-256"


@MATRIX
def test_an_unchanged_service_runs_none(tasked: Service) -> None:
    tasked.deploy()

    assert tasked.last_run().tasks == ()


@pytest.mark.matrix(reason="test_tasks_come_before_traffic_in_both_environments shows the order")
def test_users_stay_on_the_old_release_until_the_tasks_are_done(tasked: Service) -> None:
    [old] = tasked.traffic("live")
    new_version(tasked, hold)

    with users(tasked.url("live")) as answers, underway(tasked, "deploy") as run:
        held = wait_until_held(tasked, run)
        assert len(tasked.traffic("live")) == 2, "the release is there already"
        assert tasked.traffic("live")[old] == 100
        assert set(answers.releases) == {old}
        assert held.exec_run(["touch", "/tmp/go"]).exit_code == 0
        run.finish(0)

    assert answers.failures == []
    assert tasked.traffic("live")[old] == 0
    assert task_of(tasked) is None


@MATRIX
def test_a_rollback_runs_none(tasked: Service) -> None:
    serving = tasked.serving("live")

    tasked.run("rollback")

    assert tasked.serving("live") != serving
    record = tasked.last_run()
    assert (record.command, record.tasks) == ("rollback", ())
    assert steps(record) == ["release", "shift", "live-gate"]


def test_a_failing_task_leaves_live_as_it_was(tasked: Service) -> None:
    new_version(tasked, task("migrate", FAILS_ON_LIVE), "false", staging={"tasks": []})

    with untouched(tasked):
        done = tasked.deploy(code=25)

    assert "task migrate for live failed with exit code 1" in done.err
    assert "no such table: users" in done.err
    assert "live is as it was" in done.err
    record = tasked.last_run()
    assert [one.name for one in record.tasks] == ["migrate"], "the next one has not run"
    assert "candidate-gate" not in steps(record)
    assert "staging-stage" not in steps(record), "staging has no tasks"


@MATRIX
def test_a_task_that_hangs_is_stopped_at_its_limit(tasked: Service) -> None:
    hangs = {"name": "hang", "command": "sleep 600", "timeout": "1s"}
    new_version(tasked, staging={"tasks": [hangs]}, local={"tasks": []})
    staging = tasked.traffic("staging")

    with untouched(tasked):
        done = tasked.deploy(code=25)

    assert "task hang for staging was stopped, as it took longer than 1s" in done.err
    assert [(one.name, one.exit_code) for one in tasked.last_run().tasks] == [("hang", None)]
    assert tasked.traffic("staging") == staging


@MATRIX
def test_ctrl_c_ends_a_task_and_leaves_nothing(tasked: Service) -> None:
    new_version(tasked, hold, staging={"tasks": []})

    with untouched(tasked), underway(tasked, "deploy") as run:
        wait_until_held(tasked, run)
        run.send(signal.SIGINT)
        run.finish(130)


@MATRIX
def test_what_a_killed_run_leaves_goes_with_its_environment(tasked: Service) -> None:
    new_version(tasked, staging={"tasks": ["sleep 600"]})
    with underway(tasked, "deploy") as run:
        run.wait_until(lambda: task_of(tasked) is not None, "the task on staging")
        run.lose_power()
    assert task_of(tasked) is not None

    tasked.run("destroy", "--env", "staging")

    assert task_of(tasked) is None
