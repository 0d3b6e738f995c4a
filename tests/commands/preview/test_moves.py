from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from curtainup.commands.preview import moves
from curtainup.commands.preview.moves import Shown
from curtainup.environments.rollout import Rollout
from curtainup.model.environment import Environment
from curtainup.model.process import Process
from curtainup.model.release import Deployment, Release
from curtainup.pipeline import planner
from tests import samples
from tests.model.test_schedule import CLEANUP
from tests.samples import deployment, release
from tests.sessions import world

NEW = release(9)
V1, V2, V9 = (f"200415-0819-{number}-b3548e" for number in (1, 2, 9))


class Scene:
    """An environment that `deploy` would bring the new release to."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def told(
        self,
        before: Deployment,
        keep: int = 1,
        *,
        name: str = "live",
        shares: Sequence[int] = (),
        tasks: Sequence[str] = (),
        url: str | None = None,
        held: str = "",
        bills_idle: bool = False,
        new: Release = NEW,
    ) -> list[str]:
        text = f"keep: {keep}\ncanary: {list(shares)}\ntasks: [{', '.join(tasks)}]\n"
        view = Rollout(world(self.folder, text).session, name)
        view.environment = Environment(f"shop-{name}", samples.environment(name=name), before)
        if bills_idle:
            view.spec = replace(view.spec, bills_idle=True)
        transitions = planner.deployment([(view, new)], "", _never)
        return moves.told(transitions, Shown(before, f"{V9} (a new release)", url, keep, held))


def _never(gate: str, release: str) -> bool:
    del gate, release
    return False


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


def test_a_first_release_is_tested_before_it_gets_traffic(scene: Scene) -> None:
    [line] = scene.told(Deployment())
    assert line == f"{V9} (a new release) starts without traffic, is tested alone, then gets 100 %"


def test_it_says_which_processes_start_with_all_traffic(scene: Scene) -> None:
    two = Process(name="worker", command=("w",), count=2, memory_mb=64, stop_timeout=1, settle=1)
    clock = two.model_copy(update={"name": "clock", "count": 1})
    new = release(9, settings=samples.SETTINGS.model_copy(update={"processes": (clock, two)}))
    [line] = scene.told(Deployment(), new=new)
    assert line.endswith("then gets 100 %; its processes (clock, 2 worker) start with that")


def test_it_says_what_becomes_of_each_schedule(scene: Scene) -> None:
    def with_schedules(number: int, *names: str, cron: str = "0 3 * * *") -> Release:
        schedules = tuple(CLEANUP.model_copy(update={"name": name, "cron": cron}) for name in names)
        return release(number, settings=samples.SETTINGS.model_copy(update={"schedules": schedules}))

    new, old = with_schedules(9, "a", "b"), with_schedules(1, "b", "c")
    before = Deployment(releases=(old,), traffic={old.id: 100})
    [first, line, _] = scene.told(before, new=new)
    assert first.endswith("; its processes (scheduler) start with that")
    assert line == "its schedules, once it has all traffic: a starts, b stays, c goes"
    [_, line, _] = scene.told(before, new=with_schedules(9, "b", "c", cron="0 4 * * *"))
    assert line == "its schedules, once it has all traffic: b changes, c changes"
    [_, line, _] = scene.told(before, new=release(9))
    assert line == "its schedules, once it has all traffic: b goes, c goes"


def test_the_one_that_serves_is_kept_and_the_oldest_leaves(scene: Scene) -> None:
    assert scene.told(deployment(0, 100)) == [
        f"{V9} (a new release) starts without traffic, is tested alone, then gets 100 %",
        f"{V2} (r0000002) is kept without traffic until the next deployment",
        f"{V1} (r0000001) is removed",
    ]


def test_canary_steps_and_the_url_of_the_candidate_are_told(scene: Scene) -> None:
    [line, kept] = scene.told(deployment(100), 5, shares=(10, 50), url="http://127.0.0.1:20009")
    assert line.endswith("is tested alone at http://127.0.0.1:20009, then gets 10 %, 50 % and 100 %")
    assert kept.endswith("is kept without traffic until 5 newer ones have been live")


def test_tasks_are_told_by_their_names(scene: Scene) -> None:
    tasks = ("{name: migrate, command: ./migrate}", "./seed")
    [live] = scene.told(Deployment(), tasks=tasks)
    assert live.endswith(
        "starts without traffic, runs its tasks (migrate, task-2), is tested alone, then gets 100 %"
    )
    [staging] = scene.told(Deployment(), tasks=tasks, name="staging")
    assert staging.endswith(
        "starts without traffic, runs its tasks (migrate, task-2), then gets 100 % and is tested"
    )


def test_staging_gets_its_traffic_at_once(scene: Scene) -> None:
    [line, _] = scene.told(deployment(100), name="staging", url="http://127.0.0.1:8081")
    assert line == f"{V9} (a new release) gets 100 % and is tested at http://127.0.0.1:8081"


def test_where_idle_releases_are_billed_they_leave_once_the_new_one_is_proven(scene: Scene) -> None:
    lines = scene.told(deployment(0, 100), 0, bills_idle=True)
    assert lines[1:] == [
        f"{V2} (r0000002) is removed once {V9} is proven",
        f"{V1} (r0000001) is removed",
    ]


def test_one_that_is_kept_already_is_not_started(scene: Scene) -> None:
    before = Deployment(releases=(release(1), NEW), traffic={"r0000001": 100, NEW.id: 0})
    assert scene.told(before)[0].startswith(f"{V9} (a new release) is there without traffic, is tested")


def test_a_canary_that_was_cut_off_goes_on_with_the_share_that_it_has(scene: Scene) -> None:
    split = Deployment(releases=(*deployment(100).releases, NEW), traffic={"r0000001": 90, NEW.id: 10})
    line, *_ = scene.told(split, shares=(10, 50))
    assert "has 10 % of the traffic" in line
    assert line.endswith("then gets 10 %, 50 % and 100 %")


def test_a_candidate_that_is_held_is_in_the_way(scene: Scene) -> None:
    lines = scene.told(deployment(100, 0, candidate="r0000002"), held="r0000002")
    assert lines[-1] == f"{V2} (r0000002) is held: deploy needs --replace-candidate to drop it"


def test_nothing_is_said_of_what_stays_as_it_is(scene: Scene) -> None:
    before = Deployment(releases=(NEW,), traffic={NEW.id: 100})
    assert scene.told(before) == []
