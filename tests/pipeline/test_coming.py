"""A release that a cloud refuses because it comes too early: it is made again, under another id."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from curtainup.engine.changes import OperationResult
from curtainup.environments.rollout import Rollout
from curtainup.errors import CurtainupError, EngineFailed, Interrupted, ReleaseUnhealthy
from curtainup.model.release import Deployment
from curtainup.pipeline import coming, planner
from curtainup.pipeline.coming import brought
from curtainup.pipeline.transition import Retire, Transition, Update, instead
from tests import samples
from tests.images.test_registry import CLOUD_RUN, Google
from tests.sessions import Memory, World, world

TEXT = f"{CLOUD_RUN}docker_repo: my-project\nenv_secrets: [KEY]\n"
IMAGE = "europe-west1-docker.pkg.dev/my-project/shop/shop@sha256:" + "d" * 64
DENIED = EngineFailed(
    "the update failed",
    detail="Revision 'shop-live-r1' is not ready and cannot serve traffic. "
    "spec.template.spec.containers[0].env[0].value_from.secret_key_ref.name: Permission denied on secret: "
    "projects/1/secrets/shop-live-KEY/versions/1 for Revision service account shop-live@x.",
)
CRASHED = EngineFailed("Revision 'shop-live-r1' is not ready and cannot serve traffic. It failed to start.")


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coming, "FIRST_PAUSE", 0.001)
    monkeypatch.setattr(coming, "LONGEST_PAUSE", 0.002)


class Remembering(Memory):
    """An engine that remembers what an update was to do even when it fails, as Pulumi does."""

    def up(self, stack: str, config: Mapping[str, Any], *given: Any, **named: Any) -> OperationResult:
        failures, self.failures = self.failures, []
        result = super().up(stack, config, *given, **named)
        self.failures = failures[1:]
        if failures:
            raise failures[0]
        return result


class Scene:
    """Live on Cloud Run, and what a deployment plans for a release that is to be held."""

    def __init__(self, folder: Path) -> None:
        self.world: World = world(folder, TEXT, {"KEY": "a-value-of-a-test"}, engine=Remembering())
        self.world.session.accounts.__dict__["google"] = Google()
        self.rollout = Rollout(self.world.session, "live")
        self.rollout.prepare(allow_replace=False)
        self.rollout.lay_ground(lambda _: None)
        self.world.engine.ups.clear()
        self.new = self.rollout.new_release(IMAGE, "v2")
        planned = planner.to_candidate(self.rollout, self.new, IMAGE, _never, held=True)
        self.transition: Transition = planned[0]
        self.said: list[str] = []
        self.rollout.seal(self.new)
        self.rollout.hold(self.new.id)

    def bring(self, work: Callable[[], None] = lambda: None) -> Transition:
        with brought(self.rollout, self.transition, 0, self.said.append, self.said.append) as found:
            work()
        return found

    def sent(self) -> list[list[str]]:
        return [[one["id"] for one in config["releases"]] for _, config in self.world.engine.ups]


def _never(gate: str, release: str) -> bool:
    del gate, release
    return False


def test_it_comes_again_under_another_id_until_it_is_taken(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.world.engine.failures = [DENIED]
    found = scene.bring()
    other = found.release
    assert other.id != scene.new.id
    assert (other.image, other.version, other.attempt) == (IMAGE, "v2", 1)
    assert scene.sent() == [[scene.new.id], [], [other.id]]
    assert scene.rollout.deployment.candidate == other.id
    assert scene.rollout.environment.held == other.id, "what was to be held is, under its new id"
    assert scene.rollout.environment.spent == (scene.new.id,)
    [said] = scene.said
    assert said == (
        "waiting, as it is too early: the containers may not read one of their secrets yet; curtainup tries "
        "again for 10 min. If it stays so: wait some minutes and deploy again: the grant is made and stays, "
        "and takes effect by itself; if it does not, an organisation policy or somebody else took it away"
    )
    assert scene.world.engine.ups[-1][1]["environment"]["secret_names"] == ["KEY"]


def test_what_follows_is_about_the_release_that_came(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    other = samples.release(9)
    deployment = Deployment(releases=(scene.new,), traffic={scene.new.id: 100})
    acts = (Update("a", "a", (deployment,)), Retire("b", "b", deployment, ("r0000001",)))
    found = instead(Transition("live", scene.new, IMAGE, acts, None), scene.new.id, other)
    update, retire = found.acts
    assert isinstance(update, Update)
    assert isinstance(retire, Retire)
    for one in (*update.deployments, retire.deployment):
        assert (one.releases, one.traffic, one.working) == ((other,), {other.id: 100}, other.id)
    assert instead(found, "r0000001", scene.new) is found


def test_the_wait_is_bounded_and_the_refusal_says_what_it_means(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(coming, "PATIENCE", -1.0)
    scene = Scene(tmp_path)
    scene.world.engine.failures = [DENIED]
    with pytest.raises(ReleaseUnhealthy, match="may not read one of their secrets yet"):
        scene.bring()
    assert scene.said == []


@pytest.mark.parametrize("error", [CRASHED, EngineFailed("Error 429: Quota exceeded for total CPU")])
def test_what_no_wait_mends_fails_at_once(tmp_path: Path, error: CurtainupError) -> None:
    scene = Scene(tmp_path)
    scene.world.engine.failures = [error]
    with pytest.raises(CurtainupError):
        scene.bring()
    assert scene.sent() == [[scene.new.id]]


def test_a_release_that_has_come_is_not_made_again(tmp_path: Path) -> None:
    scene = Scene(tmp_path)

    def judged() -> None:
        raise EngineFailed("the update failed", detail=DENIED.detail)

    with pytest.raises(EngineFailed):
        scene.bring(judged)
    assert scene.sent() == [[scene.new.id]]


def test_a_release_that_was_there_before_keeps_its_proof(tmp_path: Path) -> None:
    """As the update that makes a first release public, once it has passed its gate without traffic."""
    scene = Scene(tmp_path)
    scene.bring()
    scene.world.engine.failures = [DENIED]
    with pytest.raises(ReleaseUnhealthy):
        scene.bring()
    assert scene.sent() == [[scene.new.id]] * 2


def test_the_wait_ends_when_the_run_does(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.world.engine.failures = [DENIED]
    scene.world.session.run.cancelled.set()
    with pytest.raises(Interrupted, match="may not read one of their secrets yet"):
        scene.bring()
    assert scene.sent() == [[scene.new.id]]


def test_the_way_back_of_a_first_release_asks_for_nothing_that_was_refused(tmp_path: Path) -> None:
    """A cloud whose quota is used up would refuse it once more, and nothing could be put back."""
    scene = Scene(tmp_path)
    scene.world.engine.failures = [CRASHED]
    with pytest.raises(CurtainupError):
        scene.rollout.apply(Deployment(releases=(scene.new,), traffic={scene.new.id: 100}))
    scene.rollout.put_back(Deployment(), scene.said.append)
    assert scene.sent() == [[scene.new.id], []]
