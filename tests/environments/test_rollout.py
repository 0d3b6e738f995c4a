from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import replace
from io import FileIO
from pathlib import Path

import docker
import pytest

from curtainup.engine.changes import Change
from curtainup.environments.both import prepare
from curtainup.environments.rollout import Rollout
from curtainup.errors import EngineFailed, PortTaken, RefusedError
from curtainup.model import release
from curtainup.model.environment import Environment
from curtainup.model.release import Address, Deployment
from curtainup.model.targets.docker import DockerEnvironment
from curtainup.pipeline.plan.guard import Guard
from curtainup.platforms.docker import claims, placement
from tests import samples
from tests.sessions import World, world

NEVER_DEPLOYED = "never-deployed"
"""A service that no Docker host has, whatever its user has deployed there."""
IMAGE = "127.0.0.1:5000/shop@sha256:" + "d" * 64


@pytest.fixture(autouse=True)
def _own_claims(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Claim nothing from deployments that run at the same time."""
    with FileIO(tmp_path / "claims", "a") as file:
        monkeypatch.setattr(claims, "_file", lambda: file)
        yield


def _rollout(found: World, deployment: Deployment | None = None, name: str = "live") -> Rollout:
    """A rollout of an environment that is there already, with that deployment."""
    rollout = Rollout(found.session, name)
    rollout.environment = Environment(f"shop-{name}", samples.environment(name=name), Deployment())
    rollout.apply(deployment or Deployment())
    found.engine.ups.clear()
    return rollout


def test_a_secret_is_in_a_release_by_its_hmac_alone(tmp_path: Path) -> None:
    found = world(tmp_path, "env_secrets: [KEY]\n", {"KEY": "hunter2"})
    rollout = _rollout(found)
    one = rollout.new_release(IMAGE, "v1")
    assert len(one.secrets_hmac) == 64
    assert "hunter2" not in one.model_dump_json()


def test_a_release_that_is_there_is_taken_as_it_is(tmp_path: Path) -> None:
    found = world(tmp_path)
    rollout = _rollout(found)
    first = rollout.new_release(IMAGE, "v1")
    rollout.apply(release.shift(release.stage(rollout.deployment, first, 1), first.id))
    assert rollout.new_release(IMAGE, "v2") == first
    other = rollout.new_release(IMAGE.replace("d", "e"), "v2")
    assert other.address is not None
    assert first.address is not None
    assert other.address.ip != first.address.ip
    assert other.address.port != first.address.port


def test_a_container_of_a_cut_off_update_keeps_its_place(tmp_path: Path) -> None:
    """Another address would replace it."""
    found = world(tmp_path)
    rollout = _rollout(found)
    place = Address(ip="10.213.0.77", port=20077)
    rollout.environment = Environment(
        "shop-live", samples.environment(), Deployment(), places={rollout.release_id(IMAGE): place}
    )
    assert rollout.new_release(IMAGE, "v1").address == place


@pytest.mark.docker
def test_a_first_deployment_chooses_free_places(tmp_path: Path) -> None:
    found = world(tmp_path, name=NEVER_DEPLOYED)
    rollout = Rollout(found.session, "live")
    rollout.prepare(allow_replace=False)
    settings = rollout.environment.settings
    assert isinstance(settings, DockerEnvironment)
    assert settings.port != settings.stats_port
    client = docker.from_env()
    taken = [
        pool.get("Subnet")
        for network in client.networks.list()
        for pool in (network.attrs.get("IPAM") or {}).get("Config") or []
    ]
    client.close()
    assert settings.subnet not in taken
    found.session.accounts.docker.close()


@pytest.mark.docker
def test_a_first_deployment_leaves_the_ports_that_other_environments_were_given(tmp_path: Path) -> None:
    found = world(tmp_path, "environments: {staging: {port: 8099}}\n", name=NEVER_DEPLOYED)
    rollout = Rollout(found.session, "live")
    rollout.prepare(
        allow_replace=False, neighbours=[samples.environment(port=port) for port in range(8080, 8099)]
    )
    assert isinstance(rollout.environment.settings, DockerEnvironment)
    assert rollout.environment.settings.port > 8099
    found.session.accounts.docker.close()


def test_staging_and_live_are_given_different_places_though_their_names_begin_at_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A claim keeps other processes away, and not the one that has made it."""
    monkeypatch.setattr(placement, "_from", lambda numbers, _: iter(numbers))
    found = world(tmp_path, name=NEVER_DEPLOYED)
    places = []
    rollouts = Rollout(found.session, "live"), Rollout(found.session, "staging")
    prepare(*rollouts, allow_replace=False)
    for rollout in rollouts:
        settings = rollout.environment.settings
        assert isinstance(settings, DockerEnvironment)
        places += [settings.subnet, settings.port, settings.stats_port]
    assert len(set(places)) == 6
    found.session.accounts.docker.close()


def test_a_taken_port_is_refused_before_anything_is_done(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        text = f"environments: {{live: {{port: {taken.getsockname()[1]}}}}}\n"
        found = world(tmp_path, text, name=NEVER_DEPLOYED)
        with pytest.raises(PortTaken):
            Rollout(found.session, "live").prepare(allow_replace=False)
    assert found.engine.ups == []


def test_what_is_remembered_stays_and_what_is_changed_is_taken(tmp_path: Path) -> None:
    found = world(tmp_path, "environments: {live: {port: 8081, drain_timeout: 7, request_timeout: 8}}\n")
    rollout = _rollout(found, samples.deployment(100))
    rollout.prepare(allow_replace=False)
    settings = rollout.environment.settings
    assert isinstance(settings, DockerEnvironment)
    assert (settings.port, settings.subnet, settings.stats_port) == (8081, "10.213.0.0/24", 20999)
    assert (settings.drain_timeout, settings.request_timeout) == (7, 8)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("port: 28082", "port"),
        ("bind: 0.0.0.0", "bind"),
        ("header_limit: 64", "header_limit"),
        ("sticky: true", "sticky"),
    ],
)
def test_what_would_interrupt_traffic_is_refused_unless_allowed(tmp_path: Path, text: str, key: str) -> None:
    found = world(tmp_path, f"environments: {{live: {{{text}}}}}\n")
    serving = _rollout(found, samples.deployment(100))
    with pytest.raises(RefusedError, match=f"changing {key} of live interrupts its traffic") as caught:
        serving.prepare(allow_replace=False)
    assert "--allow-replace" in str(caught.value.fix)
    serving.prepare(allow_replace=True)
    idle = _rollout(found, samples.deployment(0))
    idle.prepare(allow_replace=False)
    assert idle.needs_replacement() == []


@pytest.mark.parametrize(
    ("bind", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8081"),
        ("0.0.0.0", "http://127.0.0.1:8081"),
        ("192.0.2.1", "http://192.0.2.1:8081"),
        ("::1", "http://[::1]:8081"),
        ("::", "http://[::1]:8081"),
    ],
)
def test_the_url_is_one_that_reaches_the_address(tmp_path: Path, bind: str, url: str) -> None:
    rollout = _rollout(world(tmp_path, f"bind: '{bind}'\n"), samples.deployment(100))
    rollout.prepare(allow_replace=True)
    assert rollout.url == url


def test_putting_back_returns_traffic_first_and_then_removes(tmp_path: Path) -> None:
    found = world(tmp_path)
    before = samples.deployment(100)
    rollout = _rollout(found, samples.deployment(0, 100))
    rollout.put_back(before, found.report.warn)
    assert found.engine.traffics == [{"r0000001": 100}, {"r0000001": 100}]
    assert [len(config["releases"]) for _, config in found.engine.ups] == [2, 1]
    assert rollout.deployment == before


def test_putting_back_goes_on_from_what_is_there(tmp_path: Path) -> None:
    """An update that failed half-way may have moved traffic that this process does not know of."""
    found = world(tmp_path)
    rollout = _rollout(found, samples.deployment(100))
    _rollout(found, samples.deployment(0, 100))
    rollout.put_back(samples.deployment(100), found.report.warn)
    assert [len(config["releases"]) for _, config in found.engine.ups] == [2, 1]


def test_a_put_back_that_fails_is_an_error(tmp_path: Path) -> None:
    found = world(tmp_path)
    rollout = _rollout(found, samples.deployment(0, 100))
    found.engine.failures.append(EngineFailed("no"))
    with pytest.raises(EngineFailed):
        rollout.put_back(samples.deployment(100), found.report.warn)


def test_secrets_of_a_staged_release_are_not_encrypted_again_after_a_failure(tmp_path: Path) -> None:
    found = world(tmp_path, "env_secrets: [KEY]\n", {"KEY": "v"})
    rollout = _rollout(found)
    one = rollout.new_release(IMAGE, "v1")
    rollout.seal(one)
    rollout.refresh()
    rollout.seal(one)
    assert found.engine.sealings == ['{"KEY": "v"}']


def test_a_release_that_comes_back_has_its_secrets_again(tmp_path: Path) -> None:
    """A candidate may push out the oldest kept release, and fail its gate."""
    found = world(tmp_path, "env_secrets: [KEY]\n", {"KEY": "v"})
    rollout = _rollout(found)
    one = rollout.new_release(IMAGE, "v1")
    rollout.seal(one)
    before = release.shift(release.stage(rollout.deployment, one, 1), one.id)
    rollout.apply(before)
    with_secrets = found.engine.ups[-1][1]["releases"]
    rollout.apply(Deployment())
    rollout.put_back(before, found.report.warn)
    assert with_secrets[0]["secrets"]
    assert found.engine.ups[-1][1]["releases"] == with_secrets


@pytest.mark.parametrize("held", ["shop-live-r0000002", "shop-live-service"])
def test_what_is_protected_loses_that_before_it_goes(tmp_path: Path, held: str) -> None:
    """A switch that failed leaves the release protected that it never gave traffic to."""
    found = world(tmp_path)
    rollout = _rollout(found, samples.deployment(100, 0))
    rollout.environment = replace(rollout.environment, protected=(held,))
    rollout.apply(samples.deployment(100))
    first, *rest = [len(config["releases"]) for _, config in found.engine.ups]
    assert [first, *rest] == ([2, 1] if held.endswith("r0000002") else [1])


def test_a_protected_environment_loses_that_before_its_last_release_goes(tmp_path: Path) -> None:
    found = world(tmp_path)
    rollout = _rollout(found, samples.deployment(0))
    rollout.environment = replace(rollout.environment, protected=("shop-live-service",))
    rollout.apply(Deployment())
    assert [len(config["releases"]) for _, config in found.engine.ups] == [1, 0]


def _edited(tmp_path: Path) -> tuple[World, Rollout]:
    """A rollout of an environment that serves, by a service whose own program was edited since."""
    found = world(tmp_path, edition="3f2a")
    return found, _rollout(found, samples.deployment(100))


def test_an_edited_program_is_another_one_until_an_update_has_told_of_it(tmp_path: Path) -> None:
    _, rollout = _edited(tmp_path)
    assert not rollout.is_current
    rollout.environment = replace(rollout.environment, outputs={"program": "3f2a"})
    assert rollout.is_current


def test_an_edited_program_is_previewed_on_what_is_there_before_anything_is_built(tmp_path: Path) -> None:
    found, rollout = _edited(tmp_path)
    rollout.require_rendered()
    assert [stack for stack, _ in found.engine.previews] == ["shop-live"]
    assert found.engine.previews[0][1]["traffic"] == rollout.deployment.traffic
    assert found.engine.ups == []


def test_an_edit_that_would_interrupt_traffic_has_to_be_allowed(tmp_path: Path) -> None:
    found, rollout = _edited(tmp_path)
    found.engine.planned = (Change("replace", "docker:index/container:Container", "shop-live-proxy"),)
    rollout.guard = Guard()
    with pytest.raises(RefusedError, match="would replace") as caught:
        rollout.require_rendered()
    assert "shop-live-proxy" in str(caught.value.detail)
    rollout.guard = Guard(allow_replace=True)
    rollout.require_rendered()


def test_the_program_that_made_an_environment_need_not_be_previewed(tmp_path: Path) -> None:
    found = world(tmp_path)
    _rollout(found, samples.deployment(100)).require_rendered()
    Rollout(found.session, "staging").require_rendered()
    assert found.engine.previews == []


def test_a_program_that_cannot_be_run_is_refused_with_the_cause(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found, rollout = _edited(tmp_path)

    def fail(*_: object, **__: object) -> None:
        raise EngineFailed("curtains", detail="components/docker_host.py, line 7")

    monkeypatch.setattr(found.engine, "preview", fail)
    with pytest.raises(EngineFailed, match="program was changed") as caught:
        rollout.require_rendered()
    assert caught.value.consequence == "nothing was built or changed"
    assert caught.value.detail == "components/docker_host.py, line 7"
