"""An environment where nothing serves yet gets other ports once its own went to something else."""

from __future__ import annotations

import socket
import uuid
from collections.abc import Iterator
from io import FileIO
from pathlib import Path

import pytest

from curtainup.environments.rollout import Rollout
from curtainup.model.environment import Environment
from curtainup.model.release import Deployment
from curtainup.model.targets.docker import DockerEnvironment
from curtainup.platforms.docker import claims
from curtainup.setup.base_images.catalogue import REFERENCES
from tests import docker_engine, samples
from tests.sessions import World, world

pytestmark = pytest.mark.docker


@pytest.fixture(autouse=True)
def _own_claims(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Claim nothing from deployments that run at the same time."""
    with FileIO(tmp_path / "claims", "a") as file:
        monkeypatch.setattr(claims, "_file", lambda: file)
        yield


@pytest.fixture
def name() -> str:
    """A service's that this Docker host does not have."""
    return f"ports-{uuid.uuid4().hex[:6]}"


@pytest.fixture
def port() -> Iterator[int]:
    """A port that something else listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield int(server.getsockname()[1])


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def rollout(found: World, settings: DockerEnvironment, deployment: Deployment) -> Rollout:
    """A rollout of an environment that an earlier run chose the ports for."""
    made = Rollout(found.session, settings.name)
    name = found.session.service.config.name
    made.environment = Environment(f"{name}-{settings.name}", settings, Deployment())
    made.apply(deployment)
    found.engine.ups.clear()
    return made


def ports(one: Rollout) -> tuple[int, int]:
    settings = one.environment.settings
    assert isinstance(settings, DockerEnvironment)
    return settings.port, settings.stats_port


def test_a_port_that_was_taken_before_anything_served_is_chosen_anew(
    tmp_path: Path, name: str, port: int
) -> None:
    stats = free_port()
    one = rollout(world(tmp_path, name=name), samples.environment(port=port, stats_port=stats), Deployment())

    one.prepare(allow_replace=False)

    assert ports(one)[0] in range(8080, 8180)
    assert ports(one)[1] == stats


def test_so_is_the_port_of_the_proxy_s_state(tmp_path: Path, name: str, port: int) -> None:
    public = free_port()
    one = rollout(world(tmp_path, name=name), samples.environment(port=public, stats_port=port), Deployment())

    one.prepare(allow_replace=False)

    assert ports(one)[0] == public
    assert ports(one)[1] in range(20000, 32000)


def test_it_is_none_that_another_environment_holds(tmp_path: Path, name: str, port: int) -> None:
    found = world(tmp_path, name=name)
    settings = samples.environment(port=port, stats_port=free_port())
    one = rollout(found, settings, Deployment())
    one.prepare(allow_replace=False)
    held = samples.environment(name="staging", port=ports(one)[0])
    again = rollout(found, settings, Deployment())

    again.prepare(allow_replace=False, neighbours=(held,))

    assert ports(again)[0] not in {port, held.port}


def test_the_port_of_an_environment_that_serves_stays(tmp_path: Path, name: str, port: int) -> None:
    """Its users know it."""
    settings = samples.environment(port=port, stats_port=free_port())
    one = rollout(world(tmp_path, name=name), settings, samples.deployment(100))

    one.prepare(allow_replace=False)

    assert ports(one)[0] == port


def test_a_configured_port_stays(tmp_path: Path, name: str, port: int) -> None:
    settings = samples.environment(port=port, stats_port=free_port())
    one = rollout(
        world(tmp_path, f"environments: {{live: {{port: {port}}}}}\n", name=name), settings, Deployment()
    )

    one.prepare(allow_replace=False)

    assert ports(one)[0] == port


def test_a_port_stays_that_the_environment_s_own_proxy_listens_on(
    tmp_path: Path, name: str, port: int
) -> None:
    """A first deployment that failed leaves the proxy, and nothing that serves."""
    settings = samples.environment(service=name, port=port, stats_port=free_port())
    found = world(tmp_path, name=name)
    with docker_engine.with_images() as client:
        own = client.containers.run(
            REFERENCES["base"], ["sleep", "60"], name=f"{name}-live-proxy", detach=True
        )
        try:
            one = rollout(found, settings, Deployment())
            one.prepare(allow_replace=False)
        finally:
            own.remove(force=True)

    assert ports(one)[0] == port


def test_what_is_put_back_to_nothing_gets_other_ports_too(tmp_path: Path, name: str, port: int) -> None:
    """Else the update that puts it back fails as the one before did."""
    found = world(tmp_path, name=name)
    one = rollout(found, samples.environment(port=port, stats_port=free_port()), Deployment())

    one.put_back(Deployment(), found.report.warn)

    assert ports(one)[0] in range(8080, 8180)
    assert found.engine.ups[-1][1]["environment"]["port"] == ports(one)[0]


def test_it_is_none_that_the_other_environment_has_chosen_and_not_used_yet(
    tmp_path: Path, name: str, port: int
) -> None:
    found = world(tmp_path, name=name)
    one = rollout(found, samples.environment(port=free_port(), stats_port=free_port()), Deployment())
    one.prepare(allow_replace=False)
    chosen = rollout(found, samples.environment(port=port, stats_port=free_port()), Deployment())
    chosen.prepare(allow_replace=False)
    held = samples.environment(name="staging", port=ports(chosen)[0])
    one.prepare(allow_replace=False, neighbours=(held,))
    one.environment = Environment(
        one.environment.stack, samples.environment(port=port, stats_port=free_port()), Deployment()
    )

    one.put_back(Deployment(), found.report.warn)

    assert ports(one)[0] not in {port, held.port}
