from __future__ import annotations

from typing import Any

from curtainup.commands.preview.moves import Going, told
from curtainup.model import release as releases
from curtainup.model.release import Deployment
from tests.samples import deployment, release

NEW = release(9)
V1, V2, V9 = (f"200415-0819-{number}-b3548e" for number in (1, 2, 9))


def going(before: Deployment, keep: int = 1, **more: Any) -> Going:
    after = releases.shift(releases.stage(before, NEW, keep), NEW.id)
    values: dict[str, Any] = {
        "called": f"{V9} (a new release)",
        "url": None,
        "shares": (100,),
        "tested_alone": True,
        "keep": keep,
        **more,
    }
    return Going(before, after, NEW, **values)


def test_a_first_release_is_tested_before_it_gets_traffic() -> None:
    [line] = told(going(Deployment()))
    assert line == f"{V9} (a new release) starts without traffic, is tested alone, then gets 100 %"


def test_the_one_that_serves_is_kept_and_the_oldest_leaves() -> None:
    assert told(going(deployment(0, 100))) == [
        f"{V9} (a new release) starts without traffic, is tested alone, then gets 100 %",
        f"{V2} (r0000002) is kept without traffic until the next deployment",
        f"{V1} (r0000001) is removed",
    ]


def test_canary_steps_and_the_url_of_the_candidate_are_told() -> None:
    [line, kept] = told(going(deployment(100), 5, shares=(10, 50, 100), url="http://127.0.0.1:20009"))
    assert line.endswith("is tested alone at http://127.0.0.1:20009, then gets 10 %, 50 % and 100 %")
    assert kept.endswith("is kept without traffic until 5 newer ones have been live")


def test_tasks_are_told_by_their_names() -> None:
    tasks = ("migrate", "task-2")
    [live] = told(going(Deployment(), tasks=tasks))
    assert live.endswith(
        "starts without traffic, runs its tasks (migrate, task-2), is tested alone, then gets 100 %"
    )
    [staging] = told(going(Deployment(), tasks=tasks, tested_alone=False))
    assert staging.endswith(
        "starts without traffic, runs its tasks (migrate, task-2), then gets 100 % and is tested"
    )


def test_staging_gets_its_traffic_at_once() -> None:
    [line, _] = told(going(deployment(100), tested_alone=False, url="http://127.0.0.1:8081"))
    assert line == f"{V9} (a new release) gets 100 % and is tested at http://127.0.0.1:8081"


def test_where_idle_releases_are_billed_they_leave_once_the_new_one_is_proven() -> None:
    lines = told(going(deployment(0, 100), 0, retires=("r0000002",)))
    assert lines[1:] == [
        f"{V2} (r0000002) is removed once {V9} is proven",
        f"{V1} (r0000001) is removed",
    ]


def test_one_that_is_kept_already_is_not_started() -> None:
    before = Deployment(releases=(release(1), NEW), traffic={"r0000001": 100, NEW.id: 0})
    assert told(going(before))[0].startswith(f"{V9} (a new release) is there without traffic, is tested")


def test_a_candidate_that_is_held_is_in_the_way() -> None:
    lines = told(going(deployment(100, 0, candidate="r0000002"), held="r0000002"))
    assert lines[-1] == f"{V2} (r0000002) is held: deploy needs --replace-candidate to drop it"


def test_nothing_is_said_of_what_stays_as_it_is() -> None:
    before = Deployment(releases=(NEW,), traffic={NEW.id: 100})
    assert told(going(before)) == []
