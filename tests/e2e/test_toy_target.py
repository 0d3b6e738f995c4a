"""A target that curtainup does not know, added by a file for each half, goes through the whole pipeline."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from curtainup.errors import ConfigError, TrafficReturned
from tests.e2e.load import users
from tests.e2e.service import Service

MATRIX = pytest.mark.matrix(
    reason="test_a_first_deployment_goes_live shows that the target is one like others"
)

ROOT = Path(__file__).parents[2]
WITH_TOY = f"""\
import sys
sys.path.insert(0, {str(ROOT)!r})
from tests import toy
toy.register()
from curtainup.__main__ import main
main()
"""


class Podium(Service):
    """A service for whose deployer there is one target more."""

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-P", "-c", WITH_TOY, *arguments]

    def traffic(self, environment: str) -> dict[str, int]:
        return self.traffic_told(environment)


def _free_ports(count: int) -> list[int]:
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, service_python: Path) -> Iterator[Service]:
    made = Podium(tmp_path_factory.mktemp("e2e"), "hello", service_python)
    staging, live = _free_ports(2)
    sections = {"staging": {"port": staging}, "live": {"port": live}}
    made.configure(deploy_target="podium", environments=sections)
    yield made
    made.remove()


def test_tasks_are_refused_on_a_target_that_runs_none(service: Service) -> None:
    service.configure(tasks=["true"])
    done = service.deploy(code=ConfigError.exit_code)
    assert "podium runs no tasks" in done.err
    assert service.state.stacks() == [], "nothing was built"
    service.configure(tasks=None)


def test_a_first_deployment_goes_live(service: Service) -> None:
    done = service.deploy()
    assert done.out == f"{service.url('live')}\n"
    assert service.proved() == ["local", "staging", "candidate", "live"]
    for environment in ("staging", "live"):
        [only] = service.traffic(environment)
        assert service.serving(environment) == only
        assert service.host.releases(environment) == {only}


def test_an_unchanged_service_is_left_alone(service: Service) -> None:
    before = service.updates()
    assert service.deploy("--json").json()["changed"] is False
    assert service.updates() == before


@MATRIX
def test_a_change_goes_live_without_a_failed_request(service: Service) -> None:
    [old] = service.traffic("live")
    service.greet("second")
    with users(service.url("live")) as answers:
        new = service.deploy("--json").json()["release"]
    assert service.get("live").json()["says"] == "second"
    assert answers.failures == []
    assert service.traffic("live") == {old: 0, new: 100}


@MATRIX
def test_its_logs_are_shown(service: Service) -> None:
    assert service.run("logs", "--env", "live").out


@MATRIX
def test_a_rollback_moves_traffic_back(service: Service) -> None:
    old, new = service.traffic("live")
    service.run("rollback")
    assert service.serving("live") == old
    assert service.traffic("live") == {old: 100, new: 0}


@MATRIX
def test_a_failed_live_gate_puts_traffic_back(service: Service) -> None:
    before = service.serving("live")
    service.greet("third")
    service.deploy(code=TrafficReturned.exit_code, fail_at="live")
    assert service.serving("live") == before
    assert service.traffic("live") == {before: 100}


def test_destroy_leaves_nothing(service: Service) -> None:
    service.run("destroy", "--confirm", service.name)
    assert service.host.everything() == []
    assert service.state.stacks() == []
