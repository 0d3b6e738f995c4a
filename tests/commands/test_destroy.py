from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from curtainup.commands.destroy import destroy, environments_of, remove
from curtainup.engine.state import Remembered
from curtainup.environments.stack import apply
from curtainup.errors import EngineFailed, Interrupted, RefusedError
from curtainup.model.environment import Environment
from curtainup.model.process import Process
from curtainup.model.release import Deployment
from curtainup.pipeline.run.record import Recorder
from curtainup.targets.docker.target import DockerTarget
from tests import samples
from tests.review_stacks import Stacks
from tests.sessions import world

LEFT = "urn:pulumi:shop-live::curtainup::docker:index/container:Container::shop-live-r0000009"


def test_what_a_lost_update_left_protected_is_no_obstacle(tmp_path: Path) -> None:
    """No update can lift it, as no configuration names it any more; whoever destroys has confirmed it."""
    found = world(tmp_path)
    apply(found.engine, Environment("shop-live", samples.environment()), samples.deployment(100))
    remembered = found.engine.known["shop-live"]
    found.engine.known["shop-live"] = replace(
        remembered, resources=({}, {"type": "docker:x", "urn": LEFT, "protect": True})
    )
    destroy(found.session, Recorder(tmp_path, "shop", "destroy", environ={}), "live", "shop")
    assert found.engine.unprotected == [("shop-live", [LEFT])]
    assert found.engine.traffics[-1] == {}, "its traffic goes first, which lifts the other's protection"
    assert not found.engine.known


@pytest.mark.parametrize("name", ["staging", "live"])
@pytest.mark.parametrize("lost", [True, False])
def test_a_process_that_somebody_removed_is_no_obstacle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, *, lost: bool
) -> None:
    """The engine could not stop it, so it reads first that it is gone, also where nothing is protected."""
    worker = Process(name="worker", command=("work",), count=1, memory_mb=64, stop_timeout=1, settle=1)
    one = samples.release(1, settings=samples.SETTINGS.model_copy(update={"processes": (worker,)}))
    deployment = Deployment(releases=(one,), traffic={one.id: 100})
    monkeypatch.setattr(DockerTarget, "has_lost_process", lambda _, release: lost and release == one)
    found = world(tmp_path)
    apply(found.engine, Environment(f"shop-{name}", samples.environment(name=name)), deployment)
    found.engine.ups.clear()
    destroy(found.session, _recorder(tmp_path), name, "shop")
    assert found.engine.refreshed == ([0] if lost else [])
    assert found.engine.traffics == ([{}] if lost else [])
    assert not found.engine.known


def _recorder(folder: Path) -> Recorder:
    return Recorder(folder, "shop", "destroy", environ={})


def test_everything_is_the_review_environments_too_and_live_last(tmp_path: Path) -> None:
    stacks = Stacks(tmp_path, "environments: {aside: {port: 8443}}\n")
    for name in ("live", "staging", "aside", "review-b", "review-a"):
        stacks.add(name)
    assert environments_of(stacks.session, None) == ["review-a", "review-b", "staging", "aside", "live"]


def test_a_review_environment_goes_alone_and_unasked(tmp_path: Path) -> None:
    stacks = Stacks(tmp_path)
    for name in ("live", "staging", "review-a", "review-b"):
        stacks.add(name)
    destroy(stacks.session, _recorder(tmp_path), "review-a", None)
    assert stacks.engine.destroyed == ["shop-review-a"]
    assert stacks.engine.ups == [], "nothing there is protected, so its traffic need not go first"


def test_where_the_engine_failed_the_next_destroy_goes_on(tmp_path: Path) -> None:
    stacks = Stacks(tmp_path)
    for name in ("live", "staging", "review-a"):
        stacks.add(name)
    stacks.engine.refusing["shop-staging"] = EngineFailed("the engine failed")
    with pytest.raises(EngineFailed):
        remove(stacks.session, _recorder(tmp_path), environments_of(stacks.session, None))
    assert environments_of(stacks.session, None) == ["staging", "live"]
    stacks.engine.refusing.clear()
    remove(stacks.session, _recorder(tmp_path), environments_of(stacks.session, None))
    assert stacks.engine.destroyed == ["shop-review-a", "shop-staging", "shop-live"]
    assert environments_of(stacks.session, None) == []


def test_what_is_gone_is_no_error(tmp_path: Path) -> None:
    stacks = Stacks(tmp_path)
    destroy(stacks.session, _recorder(tmp_path), "review-a", None)
    assert stacks.engine.destroyed == []


def test_an_interruption_says_that_nothing_is_brought_back(tmp_path: Path) -> None:
    stacks = Stacks(tmp_path)
    stacks.add("review-a")
    stacks.session.run.cancelled.set()
    with pytest.raises(Interrupted) as caught:
        destroy(stacks.session, _recorder(tmp_path), "review-a", None)
    assert "what was removed is gone" in (caught.value.consequence or "")
    assert "undone" not in (caught.value.consequence or "")
    assert stacks.engine.destroyed == []


def test_another_services_environment_of_the_same_stack_is_refused(tmp_path: Path) -> None:
    stacks = Stacks(tmp_path)
    stacks.add("live", service="shop-review", stack="shop-review-live")
    with pytest.raises(RefusedError) as caught:
        destroy(stacks.session, _recorder(tmp_path), "review-live", None)
    assert caught.value.what == "stack shop-review-live is live of the service shop-review"
    assert stacks.engine.destroyed == []


def test_a_branch_is_not_the_name_of_an_environment(tmp_path: Path) -> None:
    with pytest.raises(RefusedError) as caught:
        environments_of(Stacks(tmp_path).session, "review-feature/x")
    assert "review-feature-x" in (caught.value.fix or "")


def test_what_another_repository_has_deployed_stays(tmp_path: Path) -> None:
    git = ["git", "-C", str(tmp_path), "-c", "user.name=t", "-c", "user.email=t@example.invalid"]
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "first"], check=True)
    found = world(tmp_path)
    apply(found.engine, Environment("shop-live", samples.environment()), samples.deployment(100))
    config = {"curtainup:origin": {"first": ["f" * 40]}}
    found.engine.known["shop-image"] = Remembered(exists=True, config=config)
    with pytest.raises(RefusedError, match="shop is the service of another repository") as caught:
        destroy(found.session, _recorder(tmp_path), "live", "shop")
    assert "would be gone, so nothing was removed" in str(caught.value.consequence)
    assert found.engine.known.keys() == {"shop-live", "shop-image"}
