"""Which updates a guard gets to see before they are made, and what comes of its refusal."""

from __future__ import annotations

from collections.abc import Iterator
from io import FileIO
from pathlib import Path
from typing import Any

import pytest

from curtainup.engine.changes import Change
from curtainup.environments.rollout import Rollout
from curtainup.errors import RefusedError
from curtainup.images import stack as image_stack
from curtainup.images.source import Source
from curtainup.model import release
from curtainup.model.environment import Environment
from curtainup.model.preview import EnvironmentPreview, ResourcePreview, StackPreview
from curtainup.model.release import Deployment
from curtainup.pipeline.plan.guard import Guard
from curtainup.pipeline.plan.plan import Plan, settings_hash
from curtainup.platforms.docker import claims
from tests import samples
from tests.sessions import World, world

CONTAINER = "docker:index/container:Container"
PROXY = Change("replace", CONTAINER, "shop-live-proxy", ("labels",), ("labels",))
NEW = samples.release(2)
BEFORE = samples.deployment(100)
STAGED = release.stage(BEFORE, NEW, 1)
ENVIRONMENT = EnvironmentPreview("live", "r0000001", ("r0000001",), None, "0" * 64)


@pytest.fixture(autouse=True)
def _own_claims(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Claim nothing from deployments that run at the same time."""
    with FileIO(tmp_path / "claims", "a") as file:
        monkeypatch.setattr(claims, "_file", file.fileno)
        yield


def plan(*resources: ResourcePreview, environment: EnvironmentPreview = ENVIRONMENT) -> Plan:
    stacks = tuple(
        StackPreview(name, (), {}, True, resources, environment) for name in ("shop-live", "shop-image")
    )
    known: dict[str, Any] = {"made_by": "0.1.0", "service": "shop", "rehearsal": False, "commit": "f"}
    return Plan(**known, version="v2", tree="t", configuration="0" * 64, image="", stacks=stacks)


def deployed(found: World) -> Rollout:
    """A rollout of live, on which the first release serves."""
    first = Rollout(found.session, "live")
    first.environment = Environment("shop-live", samples.environment(), Deployment())
    first.apply(BEFORE)
    found.engine.ups.clear()
    return Rollout(found.session, "live")


def test_without_a_plan_nothing_is_previewed(tmp_path: Path) -> None:
    found = world(tmp_path)
    rollout = deployed(found)
    rollout.guard = Guard()
    rollout.prepare(allow_replace=False)
    rollout.apply(STAGED)
    assert (found.engine.previews, len(found.engine.ups)) == ([], 1)


def test_with_a_plan_every_update_is_previewed_before_it_is_made(tmp_path: Path) -> None:
    found = world(tmp_path)
    rollout = deployed(found)
    rollout.guard = Guard(plan(ResourcePreview("create", CONTAINER, "shop-live-{release}")))
    found.engine.planned = (Change("create", CONTAINER, f"shop-live-{NEW.id}"),)
    rollout.apply(STAGED)
    rollout.apply(release.shift(STAGED, NEW.id))
    assert found.engine.previews == found.engine.ups
    assert len(found.engine.ups) == 2


def test_what_the_plan_does_not_hold_is_not_done(tmp_path: Path) -> None:
    found = world(tmp_path)
    rollout = deployed(found)
    rollout.guard = Guard(plan())
    found.engine.planned = (Change("create", CONTAINER, f"shop-live-{NEW.id}"),)
    with pytest.raises(RefusedError, match="the plan does not include"):
        rollout.apply(STAGED)
    assert found.engine.ups == []
    assert not rollout.is_touched


def test_nothing_stands_in_the_way_of_a_return(tmp_path: Path) -> None:
    found = world(tmp_path)
    rollout = deployed(found)
    rollout.apply(STAGED)
    rollout.guard = Guard(plan())
    found.engine.planned = (PROXY,)
    rollout.put_back(BEFORE, found.report.warn)
    assert rollout.deployment == BEFORE
    assert found.engine.previews == []


def test_other_settings_of_an_environment_that_serves_are_looked_at_before_anything_is_built(
    tmp_path: Path,
) -> None:
    found = world(tmp_path, "request_timeout: 61\n")
    rollout = deployed(found)
    assert rollout.has_other_settings()
    rollout.guard = Guard()
    found.engine.planned = (PROXY,)
    with pytest.raises(RefusedError, match="replace or remove what holds data or traffic"):
        rollout.prepare(allow_replace=False)
    assert found.engine.ups == []
    [(stack, config)] = found.engine.previews
    assert (stack, config["environment"]["request_timeout"]) == ("shop-live", 61)


def test_leave_to_replace_makes_that_look_needless(tmp_path: Path) -> None:
    found = world(tmp_path, "request_timeout: 61\n")
    rollout = deployed(found)
    rollout.guard = Guard(allow_replace=True)
    found.engine.planned = (PROXY,)
    rollout.prepare(allow_replace=True)
    rollout.apply(STAGED)
    assert found.engine.previews == []


def test_an_environment_is_to_be_as_it_was_planned(tmp_path: Path) -> None:
    found = world(tmp_path, "request_timeout: 60\ndrain_timeout: 30\n")
    rollout = deployed(found)
    rollout.prepare(allow_replace=False)
    right = settings_hash(rollout.new_release("shop@x", "v2"), secrets=True)
    for serving, settings, what in (
        ("r0000001", right, None),
        ("r0000007", right, "live has changed since the plan was made"),
        (None, right, "live has changed since the plan was made"),
        ("r0000001", "1" * 64, "other settings or secrets than planned"),
    ):
        known = EnvironmentPreview("live", serving, ("r0000001",), None, settings)
        guard = Guard(plan(environment=known))
        if what is None:
            guard.require_unmoved(rollout)
            continue
        with pytest.raises(RefusedError, match=what) as caught:
            guard.require_unmoved(rollout)
        assert "nothing was built" in str(caught.value.consequence)


def test_what_an_earlier_run_of_the_plan_brought_is_as_planned(tmp_path: Path) -> None:
    found = world(tmp_path, "request_timeout: 60\ndrain_timeout: 30\n")
    rollout = deployed(found)
    rollout.prepare(allow_replace=False)
    new = rollout.new_release("shop@x", "v2")
    rollout.apply(release.shift(release.stage(BEFORE, new, 1), new.id))
    settings = settings_hash(new, secrets=True)
    for known in (
        EnvironmentPreview("live", "r0000001", ("r0000001",), None, settings),
        EnvironmentPreview("live", "r0000001", ("r0000001",), new.id, settings),
    ):
        Guard(plan(environment=known)).require_unmoved(rollout)


def test_a_build_and_a_push_are_checked_each(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    found, source = world(tmp_path), _source(tmp_path)
    guard = Guard(plan(ResourcePreview("create", "x:y:Image", "shop-build")))
    found.engine.planned = (Change("create", "x:y:Image", "shop-build"),)
    image = image_stack.build(found.session, image_stack.look(found.session, source), source, guard)
    found.engine.planned = (Change("create", "x:y:Image", "shop-push"),)
    with pytest.raises(RefusedError, match="the plan does not include"):
        image_stack.push(found.session, image, guard)
    assert [stack for stack, _ in found.engine.previews] == ["shop-image"] * 2
    assert len(found.engine.ups) == 1


def test_images_that_go_elsewhere_are_looked_at_for_what_that_removes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    found, source = world(tmp_path), _source(tmp_path)
    image = image_stack.look(found.session, source)
    assert not image.moved
    image_stack.push(found.session, image_stack.build(found.session, image, source))
    moved = world(tmp_path, "docker_repo: registry.example/team\n")
    moved.engine.known = found.engine.known
    moved.engine.planned = (Change("delete", "docker:index/volume:Volume", "shop-registry-volume"),)
    image = image_stack.look(moved.session, source)
    assert image.moved
    with pytest.raises(RefusedError, match="replace or remove what holds data or traffic"):
        image_stack.build(moved.session, image, source, Guard())
    assert moved.engine.ups == []


def _source(folder: Path) -> Source:
    (folder / "server.py").write_text("x = 1\n")
    return Source(folder, "f" * 40, "v2", "t1", ("server.py",), dirty=False, url="https://x/shop")
