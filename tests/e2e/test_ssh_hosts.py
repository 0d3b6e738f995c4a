"""A service whose staging and live are on different Docker hosts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docker
import pytest

from tests.e2e.distant import equipped, placed
from tests.e2e.load import users
from tests.e2e.second_machine import ALIAS, IS_POSSIBLE, WHY_NOT, SecondMachine
from tests.e2e.service import Service

pytestmark = [
    pytest.mark.skipif(not IS_POSSIBLE, reason=WHY_NOT),
    pytest.mark.matrix(
        reason="test_a_change_drops_no_request_and_logs_in_once shows a deployment through a connection"
    ),
]


@pytest.fixture
def service(machine: SecondMachine, tmp_path: Path, service_python: Path) -> Iterator[Service]:
    """A service whose live is to be deployed there."""
    with placed(machine, tmp_path, service_python) as one:
        one.configure(docker_host=None, environments={"live": {"docker_host": machine.docker_host}})
        yield one


def test_staging_is_here_and_live_is_there(machine: SecondMachine, service: Service) -> None:
    logins = machine.logins()

    service.deploy()

    assert machine.logins() == logins + 1
    assert service.url("live").startswith(f"http://{machine.address}:")
    assert (roles(service, None), roles(service, machine)) == ({"staging"}, {"live", "registry"})
    assert [service.get(one).status_code for one in ("staging", "live")] == [200, 200]
    assert service.proved() == ["local", "staging", "candidate", "live"]

    service.greet("second")
    with users(service.url("live")) as answers:
        service.deploy()
    assert answers.failures == []
    assert service.get("staging").json()["says"] == "second"
    assert service.get("live").json()["says"] == "second"
    assert service.deploy("--json").json()["changed"] is False
    service.run("destroy", "--confirm", service.name)
    assert (roles(service, None), roles(service, machine)) == (set(), set())


def test_each_is_on_a_machine_of_its_own(machine: SecondMachine, service: Service) -> None:
    with equipped() as other:
        know(machine, other)
        service.configure(
            environments={
                "staging": {"docker_host": "ssh://other"},
                "live": {"docker_host": machine.docker_host},
            }
        )
        service.deploy()
        assert service.url("staging").startswith(f"http://{other.address}:")
        assert (roles(service, other), roles(service, machine)) == ({"staging"}, {"live", "registry"})

        service.greet("fails")
        service.deploy(code=11, fail_at="staging")
        assert service.get("staging").json().get("says") != "fails"
        service.deploy()
        with users(service.url("live")) as answers:
            service.run("rollback")
        assert answers.failures == []
        assert "Listening at" in service.run("logs", "--env", "staging").out
        assert service.run("test", "--env", "staging", "--json").json()["tests"] > 0
        service.run("destroy", "--confirm", service.name)
        assert (roles(service, other), roles(service, machine)) == (set(), set())


def know(machine: SecondMachine, other: SecondMachine) -> None:
    """Have the user's SSH configuration know the other machine as well."""
    file = machine.folder / "client_config"
    more = (other.folder / "client_config").read_text().replace(f"Host {ALIAS}\n", "Host other\n")
    file.write_text(f"{file.read_text()}{more}")


def roles(service: Service, machine: SecondMachine | None) -> set[str]:
    """What of the service runs on a machine, or on this one."""
    client: Any = docker.DockerClient(base_url=machine.engine) if machine else docker.from_env()
    found = client.containers.list(filters={"label": f"curtainup.service={service.name}"})
    labels = {one.labels.get("curtainup.environment", "registry") for one in found}
    client.close()
    return labels
