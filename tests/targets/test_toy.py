"""A new target is there once each half's dict has it; tests/e2e/test_toy_target.py deploys to it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from components import targets as program
from curtainup.environments.rollout import Rollout
from curtainup.errors import ConfigError, StateError
from curtainup.images import registry
from curtainup.model import release, release_config
from curtainup.targets import TARGETS, capabilities
from tests import toy
from tests.components.program import COMPUTED, CONTAINER, SWITCH, render
from tests.sessions import world
from tests.toy.models import PodiumEnvironment, PodiumSettings

TEXT = "deploy_target: podium\nmemory_limit: 300m\nenvironments: {live: {port: 8443}}\n"
IMAGE = "127.0.0.1:5000/shop@sha256:" + "d" * 64


@pytest.fixture(autouse=True)
def _registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(TARGETS, toy.NAME, toy.DRIVER)
    monkeypatch.setitem(program.TARGETS, toy.NAME, toy.PROGRAM)


def _live(folder: Path, text: str = TEXT) -> Rollout:
    return Rollout(world(folder, text).session, "live")


def test_what_it_cannot_do_is_done_without(tmp_path: Path) -> None:
    live = _live(tmp_path)
    assert not [one for one in vars(capabilities).values() if _is_of(live, one)]
    live.require_ready()
    live.require_moved(live.deployment)
    assert live.drained(["r0000001"])
    assert (live.known_url, live.costs(), live.lingering, live.keep) == (None, None, 0, 1)
    assert not live.has_lost


def _is_of(live: Rollout, one: object) -> bool:
    return getattr(one, "_is_runtime_protocol", False) and isinstance(live.target, one)  # type: ignore[arg-type]


def test_its_own_settings_are_remembered_and_read_back(tmp_path: Path) -> None:
    found = world(tmp_path, TEXT)
    live = Rollout(found.session, "live")
    live.prepare(allow_replace=False)
    new = live.new_release(IMAGE, "v1")
    assert (type(new.settings), new.address) == (PodiumSettings, None)
    live.apply(release.shift(release.stage(live.deployment, new, 1), new.id))
    again = Rollout(found.session, "live").environment
    assert isinstance(again.settings, PodiumEnvironment)
    assert again.settings.port == 8443
    assert again.deployment.releases == (new,)


def test_the_state_of_a_target_that_is_not_there_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = world(tmp_path, TEXT)
    live = Rollout(found.session, "live")
    live.prepare(allow_replace=False)
    live.apply(live.deployment)
    monkeypatch.delitem(TARGETS, toy.NAME)
    with pytest.raises(StateError, match="cannot be read") as caught:
        live.refresh()
    assert caught.value.detail == "there is no target 'podium'"


def test_tasks_are_refused_before_anything_is_built(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="podium runs no tasks, and live has some"):
        _live(tmp_path, f"{TEXT}tasks: [migrate]\n").require_ready()


def test_its_images_go_to_a_registry_of_our_own(tmp_path: Path) -> None:
    session = world(tmp_path, TEXT).session
    assert registry.choose(session, None).kind == "local"


def _started(inputs: dict[str, Any]) -> dict[str, Any]:
    """Return what Docker chooses for a container."""
    ports = [{"external": 32768, **one} for one in inputs["ports"]]
    return {"ports": ports, "networkDatas": [{"ipAddress": "172.17.0.2"}]}


def test_the_program_renders_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    live = _live(tmp_path)
    live.prepare(allow_replace=False)
    new = live.new_release(IMAGE, "v1")
    staged = release.stage(live.deployment, new, 1)
    assert live.environment.settings is not None
    config = {
        "environment": live.environment.settings.model_dump(mode="json"),
        "releases": release_config.to_config(staged, {}),
        "traffic": staged.traffic,
    }
    monkeypatch.setitem(COMPUTED, CONTAINER, _started)
    run = render(config)
    made = run.of(CONTAINER)
    assert set(made) == {"shop-live-proxy", f"shop-live-{new.id}"}
    assert made[f"shop-live-{new.id}"].inputs["memory"] == 300
    [backend] = run.one(SWITCH).inputs["backends"]
    assert backend["address"] == "172.17.0.2:8080"
