"""What an environment behind the door asks of it; tests/e2e/test_https.py shows it on a real Docker host."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path

import pytest

from curtainup.config import ServiceConfig
from curtainup.environments import earlier, sharing
from curtainup.environments.rollout import Rollout
from curtainup.model.environment import Environment
from curtainup.model.release import Deployment
from curtainup.targets.docker import door
from curtainup.targets.docker.target import DockerTarget, runtime
from curtainup.targets.shared import Shared
from tests import samples
from tests.sessions import world

KEYS = "https: true\nlive_host: shop.example\n"


def test_a_release_believes_what_the_proxy_says_of_https() -> None:
    config = ServiceConfig(name="shop", env={"A": "b"}).for_environment("live")
    assert runtime(config, https=True).env == {"FORWARDED_ALLOW_IPS": "*", "A": "b"}
    assert runtime(config).env == {"A": "b"}


def test_the_service_may_know_better() -> None:
    config = ServiceConfig(name="shop", env={"FORWARDED_ALLOW_IPS": "10.0.0.1"}).for_environment("live")
    assert runtime(config, https=True).env == {"FORWARDED_ALLOW_IPS": "10.0.0.1"}


def test_a_door_that_another_service_has_made_meanwhile_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each had planned a door of its own."""
    rollout = Rollout(world(tmp_path, KEYS).session, "live")
    planned = samples.environment(https_host="shop.example", door="10.1.0.2", door_name="planned")
    missing: list[Shared | None] = [Shared("curtainup-door-1", {"door": {}}, "a door"), None]
    monkeypatch.setattr(DockerTarget, "shared", lambda _: missing.pop(0))
    monkeypatch.setattr(DockerTarget, "alone", lambda _: nullcontext())
    monkeypatch.setattr(door, "place", lambda _: door.Place("found", "10.1.9.2"))
    environment = Environment("shop-live", planned, Deployment())

    found = sharing.make(rollout._session, rollout.target, environment, None, None, None)

    assert found.settings == planned.model_copy(update={"door": "10.1.9.2", "door_name": "found"})
    assert missing == [], "it has looked again once nobody else was at it"
    assert rollout._session.state.engine.ups == [], "it makes none of its own"  # type: ignore[attr-defined]


def test_a_return_puts_ports_and_limits_back_and_keeps_the_door_s_new_address(tmp_path: Path) -> None:
    rollout = Rollout(world(tmp_path).session, "live")
    before = samples.environment(port=8081, https_host="shop.example", door="10.1.0.2", door_name="one")
    after = before.model_copy(
        update={
            "port": 9000,
            "bind": "0.0.0.0",
            "header_kb": 63,
            "request_timeout": 1,
            "https_host": "",
            "door": "10.1.0.3",
            "door_name": "two",
            "generation": 7,
        }
    )
    environment = Environment("shop-live", after, Deployment())
    found = earlier.put_back(rollout.target, environment, before).settings
    wanted = {"door": "10.1.0.3", "door_name": "two", "generation": 7}
    assert found == before.model_copy(update=wanted)
    assert earlier.put_back(rollout.target, environment, None).settings == after.model_copy(
        update={"door": "", "door_name": ""}
    ), "it is new"
