"""A canary that is paused: what each command makes of it, and what is remembered."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from curtainup.commands import promote
from curtainup.commands.rollback import choose, rollback
from curtainup.environments import stack
from curtainup.environments.rollout import Rollout
from curtainup.environments.view import EnvironmentView
from curtainup.errors import (
    CanaryPaused,
    CurtainupError,
    EngineFailed,
    Interrupted,
    TrafficReturned,
    UnknownRelease,
)
from curtainup.model import release as moves
from curtainup.model.environment import Environment
from curtainup.model.release import Deployment
from curtainup.pipeline import planner
from curtainup.pipeline.canary import Canary
from curtainup.pipeline.executor import Executor
from curtainup.pipeline.measuring import Measuring
from curtainup.pipeline.run.record import Recorder
from curtainup.pipeline.transition import PutBack, Transition, Update
from tests import kept, samples
from tests.commands.test_status import session_in
from tests.pipeline.test_executor import Scene
from tests.pipeline.test_planner import NEW, proved, undone, view
from tests.proxies import Proxy, serving

OLD, PAUSED = samples.release(1), samples.release(2)
STEPS = Canary((10, 50, 80), 1.0)


def paused(folder: Path, old: int, share: int) -> EnvironmentView:
    found = view(folder, samples.deployment(old, share))
    found.environment = replace(found.environment, held=PAUSED.id)
    assert found.paused == PAUSED.id
    return found


def shares(transitions: tuple[Transition, ...], release: str) -> list[int]:
    acts = [act for one in transitions for act in one.acts if isinstance(act, Update) and act.canary]
    return [stage.traffic[release] for act in acts for stage in act.deployments]


@pytest.mark.parametrize(("share", "after"), [(10, [50, 80, 100]), (50, [80, 100]), (80, [100])])
def test_promote_goes_on_with_the_next_step(tmp_path: Path, share: int, after: list[int]) -> None:
    live = paused(tmp_path, 100 - share, share)
    _, move, *_ = transitions = planner.promoted(live, PAUSED, proved(OLD.id), STEPS)
    assert shares(transitions, PAUSED.id) == after
    assert undone(move) == ("return", {OLD.id: 100})
    assert move.undo is not None
    assert move.undo.deployment.find(PAUSED.id) is None


@pytest.mark.parametrize(("share", "after"), [(10, [10, 50, 80, 100]), (80, [80, 100])])
def test_deploy_asks_again_at_the_step_that_is_there(tmp_path: Path, share: int, after: list[int]) -> None:
    live = paused(tmp_path, 100 - share, share)
    candidate, move = transitions = planner.deployment([(live, PAUSED)], "", proved(OLD.id), canary=STEPS)
    assert shares(transitions, PAUSED.id) == after
    assert undone(candidate) == ("candidate-undo", {OLD.id: 100})
    assert undone(move) == ("return", {OLD.id: 100})


def test_what_served_gets_the_traffic_back_though_it_has_the_smaller_part(tmp_path: Path) -> None:
    """No record on this machine has a proof: of either release."""
    live = paused(tmp_path, 20, 80)
    *_, move = planner.deployment([(live, PAUSED)], "", proved(), canary=STEPS)
    assert undone(move) == ("return", {OLD.id: 100})


def test_another_release_takes_the_place_of_a_canary_that_is_paused(tmp_path: Path) -> None:
    live = paused(tmp_path, 40, 60)
    candidate, move = transitions = planner.deployment([(live, NEW)], "", proved(OLD.id), canary=STEPS)
    [update] = [act for act in candidate.acts if isinstance(act, Update)]
    assert [one.id for one in update.deployments[0].releases] == [OLD.id, NEW.id]
    assert update.deployments[0].traffic == {OLD.id: 100, NEW.id: 0}
    assert shares(transitions, NEW.id) == [10, 50, 80, 100]
    assert undone(move) == ("return", {OLD.id: 100})


def test_discard_gives_the_traffic_back_and_removes_the_release(tmp_path: Path) -> None:
    [one] = planner.discarded(paused(tmp_path, 40, 60), PAUSED)
    [act] = one.acts
    assert isinstance(act, PutBack)
    assert act.deployment == Deployment(releases=(OLD,), traffic={OLD.id: 100})


@pytest.mark.parametrize("share", [10, 50, 80])
def test_rollback_goes_back_to_what_served_before_the_canary(share: int) -> None:
    deployment = samples.deployment(100 - share, share)
    assert choose(deployment, None, (), PAUSED.id) == OLD


@pytest.mark.parametrize("share", [10, 50, 80])
@pytest.mark.parametrize("working", [OLD.id, None])
def test_rollback_goes_back_to_what_served_before_a_canary_that_was_cut_off(
    share: int, working: str | None
) -> None:
    """Only a pause is remembered: after a kill, the split alone tells of the canary."""
    deployment = samples.deployment(100 - share, share).model_copy(update={"working": working})
    assert choose(deployment, None) == OLD
    oldest = samples.deployment(0, 100 - share, share)
    assert choose(oldest, None) == samples.release(2)


def test_rollback_asks_what_served_and_not_what_is_newest() -> None:
    """An older commit was deployed again, and its canary cut off."""
    split = moves.shift(samples.deployment(0, 100, candidate=OLD.id), OLD.id, 80)
    assert choose(split, None) == samples.release(2)


@pytest.mark.parametrize("wanted", [PAUSED.id, PAUSED.version, PAUSED.id[:-1] + "2", "200415-0819-2"])
@pytest.mark.parametrize(
    "deployment", [samples.deployment(90, 10), samples.deployment(100, 0, candidate=PAUSED.id)]
)
def test_rollback_is_no_way_past_the_gates_of_what_waits(deployment: Deployment, wanted: str) -> None:
    with pytest.raises(UnknownRelease, match="is not proven on live, and waits") as caught:
        choose(deployment, wanted, (), PAUSED.id)
    assert "curtainup promote" in str(caught.value.fix)


@pytest.mark.parametrize(
    "deployment", [samples.deployment(90, 10), samples.deployment(100, 0, candidate=PAUSED.id)]
)
def test_rollback_takes_nothing_that_a_killed_run_has_left_unproven(deployment: Deployment) -> None:
    with pytest.raises(UnknownRelease, match="its run was cut off, or its canary taken back") as caught:
        choose(deployment, PAUSED.version)
    assert "curtainup deploy" in str(caught.value.fix)
    assert "promote" not in str(caught.value.fix)


def test_of_two_releases_of_one_version_rollback_takes_the_one_that_was_proven() -> None:
    """As when one commit is deployed again with another secret, and held."""
    twins = (samples.release(1, version="v1"), samples.release(2), samples.release(3, version="v1"))
    shares = {one.id: 100 * (one == twins[1]) for one in twins}
    held = Deployment(releases=twins, traffic=shares, candidate=twins[2].id)
    assert choose(held, "v1", (), twins[2].id) == twins[0]


def test_what_is_to_be_made_again_is_no_candidate_either() -> None:
    """As when a release that was retired is deployed again, and held."""
    held = samples.deployment(100, 0, candidate=PAUSED.id)
    with pytest.raises(UnknownRelease, match="no older release is kept"):
        choose(held, None, (PAUSED,), PAUSED.id)
    assert choose(held, None, (NEW, PAUSED), PAUSED.id) == NEW


def test_the_exact_version_of_what_waits_is_no_beginning_of_another() -> None:
    kept, held = samples.release(1, version="v10"), samples.release(2, version="v1")
    deployment = Deployment(releases=(kept, held), traffic={kept.id: 100, held.id: 0}, candidate=held.id)
    with pytest.raises(UnknownRelease, match="is not proven"):
        choose(deployment, "v1", (), held.id)


@pytest.mark.parametrize("held", [PAUSED.id, ""])
def test_the_commands_know_a_canary_by_its_split_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, held: str
) -> None:
    kept.environment(tmp_path, "shop-live", [samples.deployment(100), samples.deployment(20, 80)], held=held)
    session, recorder = session_in(tmp_path), Recorder(tmp_path, "shop", "rollback", environ={})
    for check in ("require_there", "require_rendered"):
        monkeypatch.setattr(Rollout, check, lambda *_: None)
    monkeypatch.setattr(Executor, "carry_out", lambda *_: None)
    assert rollback(session, recorder, None, None).release == OLD.id
    assert rollback(session, recorder, OLD.version, None).release == OLD.id
    with pytest.raises(UnknownRelease) as caught:
        rollback(session, recorder, PAUSED.version, None)
    assert ("waits for curtainup promote" in caught.value.what) == bool(held)
    if not held:
        with pytest.raises(UnknownRelease, match="r0000002 is not held: its run was cut off"):
            promote.promote(session, recorder, None)


@pytest.mark.parametrize(("share", "after"), [(10, [10, 50, 80, 100]), (80, [80, 100])])
def test_deploy_goes_on_with_a_canary_that_was_cut_off(tmp_path: Path, share: int, after: list[int]) -> None:
    live = view(tmp_path, samples.deployment(100 - share, share))
    candidate, move = transitions = planner.deployment([(live, PAUSED)], "", proved(), canary=STEPS)
    assert shares(transitions, PAUSED.id) == after
    assert undone(candidate) == ("candidate-undo", {OLD.id: 100})
    assert undone(move) == ("return", {OLD.id: 100})


def test_another_release_takes_the_place_of_a_canary_that_was_cut_off(tmp_path: Path) -> None:
    live = view(tmp_path, samples.deployment(20, 80))
    _, move = transitions = planner.deployment([(live, NEW)], "", proved(), canary=STEPS)
    assert shares(transitions, NEW.id) == [10, 50, 80, 100]
    assert undone(move) == ("return", {OLD.id: 100})


@pytest.mark.parametrize(
    ("before", "after", "held"),
    [
        ((90, 10), (50, 50), PAUSED.id),
        ((90, 10), (0, 100), ""),
        ((90, 10), (100, 0), ""),
        ((100, 0), (100, 0), ""),
    ],
)
def test_only_a_part_of_the_traffic_waits_for_a_decision(
    before: tuple[int, int], after: tuple[int, int], held: str
) -> None:
    known = Environment("shop-live", samples.environment(), samples.deployment(*before), held=PAUSED.id)
    assert stack.configured(known, samples.deployment(*after))["held"] == held


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    with serving() as found:
        yield found


@pytest.fixture
def scene(tmp_path: Path, proxy: Proxy) -> Scene:
    return Scene(tmp_path, proxy)


def _too_little(*_: object) -> bool:
    raise CanaryPaused("the canary is paused at 10 %")


def test_a_pause_leaves_traffic_as_it_is_and_is_remembered(
    tmp_path: Path, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = Scene(tmp_path, proxy)
    monkeypatch.setattr(Measuring, "is_over", _too_little)
    with pytest.raises(CanaryPaused):
        scene.move(canary=Canary((10,), 60.0))
    assert scene.world.engine.traffics == [{OLD.id: 90, PAUSED.id: 10}] * 2
    assert scene.world.engine.ups[-1][1]["held"] == PAUSED.id
    assert scene.rollout.paused == PAUSED.id
    assert scene.steps() == [("shift", "failed"), ("pause", "passed")]


def test_a_pause_that_cannot_be_remembered_is_undone(
    tmp_path: Path, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = Scene(tmp_path, proxy)

    def fail(*_: object) -> bool:
        scene.world.engine.failures.append(EngineFailed("no space"))
        return _too_little()

    monkeypatch.setattr(Measuring, "is_over", fail)
    with pytest.raises(EngineFailed, match="no space"):
        scene.move(canary=Canary((10,), 60.0))
    assert scene.world.engine.traffics[-1] == {OLD.id: 100}
    assert scene.rollout.paused == ""
    assert [name for name, _ in scene.steps()] == ["shift", "pause", "return"]


@pytest.mark.parametrize("failure", [TrafficReturned("2 of 3 tests failed"), Interrupted("interrupted")])
@pytest.mark.parametrize(("share", "held"), [(10, PAUSED.id), (80, PAUSED.id), (10, "")])
def test_a_rollback_of_a_canary_that_fails_leaves_it_paused(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, failure: CurtainupError, share: int, held: str
) -> None:
    """As it was: the split, and that somebody has to decide; one that was cut off waits from now on too."""
    split = moves.shift(scene.rollout.deployment, PAUSED.id, share)
    scene.rollout.hold(held)
    scene.rollout.apply(split)
    assert scene.rollout.paused == held
    scene.world.engine.ups.clear()

    def fail() -> None:
        raise failure

    scene.judge.verdict = fail
    monkeypatch.setattr(scene.rollout, "wait_until_healthy", lambda _: 0.1)
    with pytest.raises(type(failure)):
        scene.executor.carry_out(
            planner.rolled_back(scene.rollout, OLD.model_copy(update={"image": "image"}))
        )
    assert scene.world.engine.traffics == [{OLD.id: 100}, {OLD.id: 100 - share, PAUSED.id: share}]
    assert [config["held"] for _, config in scene.world.engine.ups] == ["", PAUSED.id]
    assert scene.rollout.deployment == split
    assert scene.rollout.paused == PAUSED.id, "promote and status know of it"
    assert choose(scene.rollout.deployment, None, (), scene.rollout.environment.held) == OLD


def test_a_canary_that_was_taken_back_is_no_goal_of_the_next_rollback(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.rollout.hold(PAUSED.id)
    scene.rollout.apply(moves.shift(scene.rollout.deployment, PAUSED.id, 10))
    monkeypatch.setattr(scene.rollout, "wait_until_healthy", lambda _: 0.1)
    scene.executor.carry_out(planner.rolled_back(scene.rollout, OLD.model_copy(update={"image": "image"})))
    live = scene.rollout
    assert live.deployment.traffic == {OLD.id: 100, PAUSED.id: 0}
    assert (live.deployment.candidate, live.environment.held, live.paused) == (PAUSED.id, "", "")
    for version in (None, PAUSED.version):
        with pytest.raises(UnknownRelease):
            choose(live.deployment, version, (), live.environment.held)
