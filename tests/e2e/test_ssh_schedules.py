"""Schedules on a Docker host that only SSH reaches: they run there while nobody is connected."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest

from curtainup.errors import ProcessFailed
from tests.e2e.distant import placed
from tests.e2e.leftovers import assert_nothing_left
from tests.e2e.ready import DOCKERFILE
from tests.e2e.schedules import runs, seen
from tests.e2e.second_machine import IS_POSSIBLE, WHY_NOT, SecondMachine
from tests.e2e.service import Service
from tests.e2e.test_schedules import EVERY_SECOND, TICK, YEARLY
from tests.scheduler.machine import assert_once_each

pytestmark = [
    pytest.mark.skipif(not IS_POSSIBLE, reason=WHY_NOT),
    pytest.mark.matrix(
        reason="test_schedules_go_on_in_the_release_that_works shows schedules through deployments, "
        "and test_a_service_goes_live_where_only_ssh_reaches the connection"
    ),
]


@pytest.fixture(scope="module")
def service(
    machine: SecondMachine, tmp_path_factory: pytest.TempPathFactory, service_python: Path
) -> Iterator[Service]:
    """A service with a schedule, which staging has not."""
    with placed(machine, tmp_path_factory.mktemp("e2e"), service_python) as one:
        one.write("tick.py", TICK)
        one.configure(
            schedule={"tick": EVERY_SECOND, "yearly": YEARLY}, environments={"staging": {"schedule": {}}}
        )
        yield one


def test_they_go_on_through_a_deployment_and_a_rollback(machine: SecondMachine, service: Service) -> None:
    service.deploy()
    assert checks(service) == ["passed"]
    first = service.serving("live")
    seen(service, "tick", first)
    service.greet("scheduled")
    logins = machine.logins()

    service.deploy()

    assert machine.logins() == logins + 1
    second = service.serving("live")
    seen(service, "tick", second)
    service.run("rollback")
    seen(service, "tick", first, after=second)
    assert_once_each([one for one in runs(service) if one["due"]])
    assert_nothing_left(service)


def test_one_runs_by_hand_and_is_told_of_through_the_connection(
    machine: SecondMachine, service: Service
) -> None:
    logins = machine.logins()

    done = service.run("schedule", "run", "yearly")

    assert machine.logins() == logins + 1
    assert "with open" in done.out
    found = {one["schedule"]: one for one in service.status("live")["schedules"]}
    assert found["yearly"]["last"]["outcome"] == "ok"
    assert found["tick"]["failed"] == []
    assert "tick of" in service.run("logs", "--process", "scheduler").out
    assert json.loads(service.run("schedule", "check", "--json").out) == []


def test_what_it_runs_in_is_not_there_for_an_image_that_cannot(service: Service) -> None:
    """Wherever the image is built: on the host, or here."""
    serving = service.serving("live")
    service.write("Dockerfile", f"{DOCKERFILE}RUN chmod 755 /var/tmp\nUSER 10001\n")
    service.commit("Take the folder away")
    client = docker.from_env()
    try:
        for place in ("host", "local"):
            service.configure(build_on=place)
            done = service.deploy(code=ProcessFailed.exit_code)
            assert "cannot run the schedules: the scheduler cannot work as user 10001" in done.err
            assert checks(service) == ["failed"]
            assert service.serving("live") == serving
            assert_nothing_left(service)
    finally:
        for one in client.images.list(filters={"label": f"curtainup.service={service.name}"}):
            client.images.remove(str(one.id), force=True)
        client.close()
    service.configure(build_on=None)


def checks(service: Service) -> list[str | None]:
    """How the check of the scheduler ended in the last run."""
    return [one.outcome for one in service.last_run().steps if one.name == "local-schedules"]
