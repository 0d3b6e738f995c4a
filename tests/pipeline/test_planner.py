"""What each command would do to an environment, as data, and what it would undo."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from curtainup.environments.rollout import Rollout
from curtainup.model import release as moves
from curtainup.model.environment import Environment
from curtainup.model.process import Process
from curtainup.model.release import Deployment, Release
from curtainup.pipeline import planner
from curtainup.pipeline.canary import Canary
from curtainup.pipeline.transition import Act, Await, PutBack, RunTasks, Transition, Update
from tests import samples
from tests.images.test_registry import CLOUD_RUN
from tests.sessions import world

NEW = samples.release(9)


def view(folder: Path, before: Deployment, text: str = "", name: str = "live") -> Rollout:
    found = Rollout(world(folder, text).session, name)
    found.environment = Environment(f"shop-{name}", samples.environment(name=name), before)
    return found


def proved(*releases: str) -> planner.IsProved:
    return lambda gate, release: gate == "live" and release in releases


def steps(transitions: tuple[Transition, ...]) -> list[list[str]]:
    return [[_step(act) for act in one.acts] for one in transitions]


def _step(act: Act) -> str:
    return "tasks" if isinstance(act, RunTasks) else act.step


def undone(one: Transition) -> tuple[str, dict[str, int]]:
    assert isinstance(one.undo, PutBack)
    traffic = {release: share for release, share in one.undo.deployment.traffic.items() if share}
    return one.undo.step, traffic


def test_staging_is_put_back_whatever_fails(tmp_path: Path) -> None:
    staging = view(tmp_path, samples.deployment(100), name="staging")
    [one] = planner.to_serving(staging, NEW, "")
    assert steps((one,)) == [["staging", "staging-gate"]]
    assert undone(one) == ("staging-undo", {"r0000001": 100})


@pytest.mark.parametrize(("tasks", "ran"), [("", []), ("tasks: [./migrate]\n", ["tasks", "staging-start"])])
def test_what_the_public_could_not_call_yet_is_proven_before_it_can(
    tmp_path: Path, tasks: str, ran: list[str]
) -> None:
    first = Rollout(world(tmp_path, f"{CLOUD_RUN}docker_repo: my-project\n{tasks}").session, "staging")
    stage, move = planner.to_serving(first, NEW, "")
    assert steps((stage, move)) == [["staging-stage", *ran, "staging-gate"], ["staging"]]
    assert undone(stage) == undone(move) == ("staging-undo", {})
    serving = Environment("shop-staging", samples.environment(name="staging"), samples.deployment(100))
    first.environment = serving
    assert len(planner.to_serving(first, NEW, "")) == 1


def test_tasks_come_between_staging_a_release_and_its_traffic(tmp_path: Path) -> None:
    staging = view(tmp_path, Deployment(), "tasks: [./migrate]\n", "staging")
    [one] = planner.to_serving(staging, NEW, "")
    assert steps((one,)) == [["staging-stage", "tasks", "staging-start", "staging", "staging-gate"]]
    assert isinstance(one.acts[2], Await)
    assert one.acts[2].renews


def test_a_deployment_proves_its_candidate_before_traffic_moves(tmp_path: Path) -> None:
    live = view(tmp_path, samples.deployment(100))
    candidate, move = planner.deployment([(live, NEW)], "", proved("r0000001"))
    assert steps((candidate, move)) == [["candidate", "candidate-gate"], ["shift", "live-gate"]]
    assert undone(candidate) == ("candidate-undo", {"r0000001": 100})
    assert undone(move) == ("return", {"r0000001": 100})
    assert move.undo is not None
    assert move.undo.deployment.find(NEW.id) is None, "what failed on live is removed"


def test_traffic_goes_back_to_what_was_proven_and_not_to_what_a_killed_run_left(tmp_path: Path) -> None:
    live = view(tmp_path, samples.deployment(0, 100))
    _, move = planner.deployment([(live, NEW)], "", proved("r0000001"))
    assert undone(move) == ("return", {"r0000001": 100})


def test_traffic_never_goes_back_to_what_is_only_a_candidate(tmp_path: Path) -> None:
    live, one = view(tmp_path, samples.deployment(0, 100, 0, candidate="r0000003")), samples.release(2)
    [judged] = planner.judged_on_live(live, one, "")
    assert undone(judged) == ("return", {"r0000001": 100})


def test_a_held_candidate_gets_no_traffic(tmp_path: Path) -> None:
    live = view(tmp_path, samples.deployment(100))
    [one] = planner.deployment([(live, NEW)], "", proved(), hold=True)
    assert steps((one,)) == [["candidate", "candidate-gate"]]


def test_a_first_release_gets_all_traffic_at_once_whatever_the_canary(tmp_path: Path) -> None:
    live = view(tmp_path, Deployment())
    move = planner.to_live(live, NEW, "", proved(), Canary((10, 50)))[0]
    shares = [act.deployments for act in move.acts if isinstance(act, Update)]
    assert [one.traffic for stages in shares for one in stages] == [{NEW.id: 100}]


def test_a_rollback_to_a_kept_release_goes_back_to_what_serves_now(tmp_path: Path) -> None:
    live = view(tmp_path, samples.deployment(0, 100))
    check, move = planner.rolled_back(live, samples.release(1))
    assert steps((check, move)) == [["release"], ["shift", "live-gate"]]
    assert check.undo is None
    assert undone(move) == ("return", {"r0000002": 100})


def test_a_release_that_is_not_kept_is_made_again_and_proven_first(tmp_path: Path) -> None:
    live = view(tmp_path, samples.deployment(100))
    again, move = planner.rolled_back(live, NEW)
    assert steps((again, move)) == [["candidate", "candidate-gate"], ["shift", "live-gate"]]
    assert undone(again) == ("candidate-undo", {"r0000001": 100})


def test_a_candidate_that_fails_its_gate_when_promoted_stays_held(tmp_path: Path) -> None:
    live = view(tmp_path, samples.deployment(100, 0, candidate="r0000002"))
    first, move = planner.promoted(live, samples.release(2), proved(), None)
    assert first.undo is None
    assert undone(move) == ("return", {"r0000001": 100})


def test_idle_releases_that_are_billed_leave_when_all_is_proven(tmp_path: Path) -> None:
    live = view(tmp_path, samples.deployment(100), "keep: 0\n")
    assert steps(planner.to_live(live, NEW, "", proved(), None)) == [["shift", "live-gate"]]
    live.spec = replace(live.spec, bills_idle=True)
    *_, last = planner.to_live(live, NEW, "", proved(), None)
    assert steps((last,)) == [["retire"]]
    assert last.undo is None, "nothing is put back once live is proven"


def test_what_a_run_that_was_cut_off_left_is_put_right_without_a_move(tmp_path: Path) -> None:
    live = view(tmp_path, samples.deployment(0, 100))
    [one] = planner.settled(live, samples.release(2))
    assert steps((one,)) == [["settle"]]
    assert isinstance(one.acts[0], Update)
    assert one.acts[0].deployments == (live.deployment,)
    assert one.undo is None


def _at_work(number: int) -> Release:
    process = Process(name="worker", command=("work",), count=1, memory_mb=64, stop_timeout=1, settle=1)
    settings = samples.SETTINGS.model_copy(update={"processes": (process,)})
    return samples.release(number, settings=settings)


def test_processes_are_waited_for_after_the_gate_of_what_has_all_traffic(tmp_path: Path) -> None:
    live, new = view(tmp_path, samples.deployment(100)), _at_work(9)
    candidate, move = planner.deployment([(live, new)], "", proved("r0000001"))
    assert steps((candidate, move)) == [
        ["candidate", "candidate-gate"],
        ["shift", "live-gate", "live-processes"],
    ]


def test_processes_of_staging_are_waited_for_without_a_gate_too(tmp_path: Path) -> None:
    staging = view(tmp_path, samples.deployment(100), name="staging")
    [one] = planner.to_serving(staging, _at_work(9), "", prove=False)
    assert steps((one,)) == [["staging", "staging-processes"]]


def test_only_the_update_to_all_traffic_lets_other_processes_work_and_the_undo_turns_it_round(
    tmp_path: Path,
) -> None:
    live, new = view(tmp_path, samples.deployment(100)), _at_work(9)
    _, move = planner.deployment([(live, new)], "", proved("r0000001"), canary=Canary((10, 90)))
    [update] = [act for act in move.acts if isinstance(act, Update)]
    assert [one.working for one in update.deployments] == ["r0000001", "r0000001", new.id]
    assert move.undo is not None
    assert move.undo.deployment.working == "r0000001"


@pytest.mark.parametrize("name", ["live", "staging"])
def test_the_processes_of_what_is_kept_are_looked_at_each_time(tmp_path: Path, name: str) -> None:
    one = _at_work(9)
    place = view(tmp_path, Deployment(releases=(one,), traffic={one.id: 100}), name=name)
    [looked] = planner.kept(place, one, "", lambda *asked: asked == (name, one.id))
    assert steps((looked,)) == [[f"{name}-processes"]]
    assert looked.undo is None, "a proven release is not taken back because its queue is down"
    assert planner.kept(place, NEW, "", lambda *_: True) == ()


def test_what_is_kept_without_a_proof_is_judged_and_on_live_goes_back(tmp_path: Path) -> None:
    one = _at_work(9)
    both = moves.shift(moves.stage(samples.deployment(100), one, 1), one.id)
    [live] = planner.kept(view(tmp_path, both), one, "", proved("r0000001"))
    assert steps((live,)) == [["live-gate", "live-processes"]]
    assert undone(live) == ("return", {"r0000001": 100})
    [staging] = planner.kept(view(tmp_path, both, name="staging"), one, "", proved("r0000001"))
    assert steps((staging,)) == [["staging-gate", "staging-processes"]]
    assert staging.undo is None


def test_a_release_that_a_killed_run_left_unproven_has_its_processes_judged_too(tmp_path: Path) -> None:
    one = _at_work(9)
    deployment = Deployment(releases=(one,), traffic={one.id: 100})
    found = planner.judged_on_live(view(tmp_path, deployment), one, "")
    assert steps(found) == [["live-gate", "live-processes"]]
