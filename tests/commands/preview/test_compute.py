"""What a preview is made of, on an engine that plans what it is told; the docker SDK and git are real."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from io import FileIO
from pathlib import Path
from typing import Any

import pytest

from curtainup.commands.preview.compute import Preview, preview
from curtainup.engine.changes import UNBUILT, Change
from curtainup.environments.rollout import Rollout
from curtainup.images import source
from curtainup.images import stack as image_stack
from curtainup.model import release
from curtainup.model.preview import StackPreview
from curtainup.platforms.docker import claims
from tests.sessions import World, world

CONTAINER = "docker:index/container:Container"
SWITCH = "curtainup:traffic:TrafficSwitch"
SECRETS = {"TOKEN": "hunter2 and more"}

pytestmark = pytest.mark.docker


@pytest.fixture(autouse=True)
def _apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Claim nothing from deployments that run at the same time, and build beside none."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with FileIO(tmp_path / "claims", "a") as file:
        monkeypatch.setattr(claims, "_file", lambda: file)
        yield


def git(folder: Path, *arguments: str) -> None:
    who = ("-c", "user.name=T", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True)


def opened(folder: Path, text: str = "", secrets: dict[str, str] | None = None) -> World:
    """A world whose service is a repository with one commit."""
    folder.mkdir(exist_ok=True)
    found = world(folder, text, secrets)
    (folder / "server.py").write_text("x = 1\n")
    git(folder, "init", "--quiet")
    git(folder, "add", "server.py", "pym-config.yaml")
    git(folder, "commit", "--quiet", "--allow-empty", "--message", "A version")
    return found


def deployed(found: World, *, live: bool = True) -> None:
    """Bring the present commit to staging and live, as a deployment does."""
    wanted = source.read(found.session.state.workspace.service_dir, allow_dirty=False)
    image = image_stack.look(found.session, wanted)
    image = image_stack.push(found.session, image_stack.build(found.session, image, wanted))
    for name in ("live", "staging"):
        rollout = Rollout(found.session, name)
        rollout.prepare(allow_replace=False)
        new = rollout.new_release(image.reference, image.version)
        rollout.seal(new)
        staged = release.stage(rollout.deployment, new, rollout.keep)
        rollout.apply(release.shift(staged, new.id) if live or name == "staging" else staged)


def of(found: Preview, name: str) -> StackPreview:
    return next(one for one in found.stacks if one.stack == f"shop-{name}")


def planned(found: World, name: str) -> dict[str, Any]:
    return next(config for stack, config in found.engine.previews if stack == f"shop-{name}")


def test_a_first_deployment_runs_an_image_that_does_not_exist_yet(tmp_path: Path) -> None:
    found = opened(tmp_path / "shop")
    shown = preview(found.session, dirty=False)
    [image] = of(shown, "image").moves
    assert image == f"{shown.source.version} is built from {shown.source.revision[:12]} and pushed"
    [one] = planned(found, "live")["releases"]
    assert one["image"].endswith(f"@{UNBUILT}")
    assert planned(found, "live")["traffic"] == {one["id"]: 100}
    known = of(shown, "live").environment
    assert known is not None
    assert (known.serving, known.releases, known.release) == (None, (), None)
    assert found.engine.ups == []


def test_a_release_that_is_not_built_has_no_id_to_show(tmp_path: Path) -> None:
    found = opened(tmp_path / "shop")
    preview(found.session, dirty=False)
    unbuilt = planned(found, "live")["releases"][0]["id"]
    found.engine.planned = (
        Change("create", CONTAINER, f"shop-live-{unbuilt}", unbuilt=True),
        Change("update", SWITCH, "shop-live-traffic", (f"traffic.{unbuilt}", "z", "traffic.r0000001")),
    )
    container, switch = of(preview(found.session, dirty=False), "live").resources
    assert container.name == "shop-live-{release}"
    assert container.image.startswith("built from ")
    assert switch.keys == ("traffic.r0000001", "traffic.{release}", "z")


def test_what_is_deployed_would_not_change(tmp_path: Path) -> None:
    found = opened(tmp_path / "shop")
    deployed(found)
    shown = preview(found.session, dirty=False)
    assert not shown.changed
    assert [one.moves for one in shown.stacks] == [(), (), ()]
    previewed = {stack for stack, _ in found.engine.previews}
    assert previewed == {"shop-staging", "shop-live"}, "an image that is there needs no preview"
    live = of(shown, "live").environment
    assert live is not None
    assert live.release == live.serving


def test_what_replaces_the_proxy_is_dangerous_and_said_in_words(tmp_path: Path) -> None:
    before = opened(tmp_path / "shop")
    deployed(before)
    found = opened(tmp_path / "shop", "environments: {live: {bind: 0.0.0.0}}\n")
    found.engine.known = before.engine.known
    found.engine.planned = (Change("replace", CONTAINER, "shop-live-proxy", ("ports",), ("ports",)),)
    live = of(preview(found.session, dirty=False), "live")
    assert live.dangers
    assert live.moves[-1] == "a new bind interrupts traffic: requests fail meanwhile"


def test_a_held_candidate_is_promoted_by_the_same_commit_and_in_the_way_of_another(tmp_path: Path) -> None:
    found = opened(tmp_path / "shop")
    deployed(found, live=False)
    candidate = Rollout(found.session, "live").deployment.candidate
    same = of(preview(found.session, dirty=False), "live")
    assert f"({candidate}) is there without traffic, is tested alone" in same.moves[0]

    _hold(found, str(candidate))
    (tmp_path / "shop" / "server.py").write_text("x = 2\n")
    git(tmp_path / "shop", "commit", "--quiet", "--all", "--message", "Another version")
    other = of(preview(found.session, dirty=False), "live")
    assert other.moves[-1].endswith(f"({candidate}) is held: deploy needs --replace-candidate to drop it")


def test_a_new_release_brings_the_names_of_its_secrets_and_no_value(tmp_path: Path) -> None:
    found = opened(tmp_path / "shop", "env_secrets: [TOKEN]\n", SECRETS)
    shown = preview(found.session, dirty=False)
    [one] = planned(found, "live")["releases"]
    assert one["secrets"] == '{"TOKEN": ""}'
    assert "hunter2" not in repr(found.engine.previews) + repr(shown)
    assert found.engine.sealings == []


def test_a_canary_is_told_step_by_step(tmp_path: Path) -> None:
    before = opened(tmp_path / "shop")
    deployed(before)
    found = opened(tmp_path / "shop", "memory_limit: 300m\nenvironments: {live: {canary: [10, 50]}}\n")
    found.engine.known = before.engine.known
    shown = preview(found.session, dirty=False)
    assert of(shown, "live").moves[0].endswith("then gets 10 %, 50 % and 100 %")
    assert of(shown, "staging").moves[0].split(" gets 100 % and is tested at http://127.0.0.1:")[1]


def _hold(found: World, candidate: str) -> None:
    rollout = Rollout(found.session, "live")
    rollout.hold(candidate)
    rollout.apply(rollout.deployment)
