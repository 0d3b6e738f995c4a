"""Removing what has outlived its time, and nothing else, whatever else goes on."""

from __future__ import annotations

import os
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from curtainup.commands import sweep
from curtainup.commands.sweep import Swept
from curtainup.errors import EngineFailed, Interrupted, SweepFailed
from curtainup.pipeline.run import lock as locks
from tests.review_stacks import Stacks

OLD, YOUNG = timedelta(days=3), timedelta(hours=3)


@pytest.fixture
def stacks(tmp_path: Path) -> Stacks:
    """Two review environments that have outlived their day, and one that has not; and everything else."""
    found = Stacks(tmp_path, now=datetime.now(UTC))
    for name in ("staging", "live", "review-a", "review-b"):
        found.add(name, age=OLD)
    found.add("review-c", age=YOUNG)
    found.add("review-a", age=OLD, service="other")
    return found


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))


def outcomes(found: list[Swept]) -> dict[str, str]:
    return {one.standing.environment: one.outcome for one in found}


def test_looking_removes_nothing(stacks: Stacks) -> None:
    found = sweep.look(stacks.session)
    assert outcomes(found) == {"review-a": "expired", "review-b": "expired", "review-c": "stays"}
    assert stacks.engine.destroyed == []


def test_only_what_has_expired_goes(stacks: Stacks) -> None:
    found = sweep.remove(stacks.session, sweep.look(stacks.session))
    assert outcomes(found) == {"review-a": "removed", "review-b": "removed", "review-c": "stays"}
    assert stacks.engine.destroyed == ["shop-review-a", "shop-review-b"]
    sweep.require_swept(found)


def test_a_second_sweep_finds_nothing_to_do(stacks: Stacks) -> None:
    sweep.remove(stacks.session, sweep.look(stacks.session))
    assert outcomes(sweep.look(stacks.session)) == {"review-c": "stays"}


def test_another_age_may_be_given(stacks: Stacks) -> None:
    assert set(outcomes(sweep.look(stacks.session, 60)).values()) == {"expired"}
    assert set(outcomes(sweep.look(stacks.session, 30 * 86400)).values()) == {"stays"}


def test_the_list_says_what_and_why(stacks: Stacks) -> None:
    lines = sweep.render(sweep.look(stacks.session), "shop").splitlines()
    assert lines[0] == (
        "shop review-a  v1  http://127.0.0.1:8090  deployed 3d ago  expired: its time to live, 1d, is over"
    )
    assert lines[2].startswith("shop review-c  v1  http://127.0.0.1:8090  deployed 3h ago  stays: its time")
    older = sweep.render(sweep.look(stacks.session, 86400), "shop").splitlines()
    assert older[0].endswith("expired: older than 1d")
    assert older[2].endswith("stays: not older than 1d")


def test_one_failure_does_not_stop_the_others_and_is_told_at_the_end(stacks: Stacks) -> None:
    stacks.engine.refusing["shop-review-a"] = EngineFailed("the network is in use")
    found = sweep.remove(stacks.session, sweep.look(stacks.session))
    assert outcomes(found) == {"review-a": "failed", "review-b": "removed", "review-c": "stays"}
    with pytest.raises(SweepFailed) as caught:
        sweep.require_swept(found)
    assert caught.value.what == "review-a could not be removed"
    assert "the network is in use" in (caught.value.detail or "")


def test_while_another_run_of_the_service_is_under_way_nothing_is_removed(stacks: Stacks) -> None:
    with locks.held(stacks.session.locks, "shop"):
        found = sweep.remove(stacks.session, sweep.look(stacks.session))
    assert outcomes(found) == {"review-a": "skipped", "review-b": "skipped", "review-c": "stays"}
    assert "left to the next sweep" in stacks.warnings[0]
    sweep.require_swept(found)


def test_a_stack_that_a_living_process_holds_is_left_alone_at_once(stacks: Stacks) -> None:
    now = datetime.now(UTC).isoformat()
    stacks.lock("shop-review-a", {"pid": os.getpid(), "hostname": socket.gethostname(), "timestamp": now})
    stacks.lock("shop-review-b", {"pid": 1, "hostname": "another-machine", "timestamp": now})
    found = sweep.remove(stacks.session, sweep.look(stacks.session))
    assert outcomes(found) == {"review-a": "skipped", "review-b": "skipped", "review-c": "stays"}
    assert stacks.engine.destroyed == []


def test_one_that_is_deployed_again_before_its_turn_stays(stacks: Stacks) -> None:
    found = sweep.look(stacks.session)
    stacks.history("shop-review-a", datetime.now(UTC))
    swept = sweep.remove(stacks.session, found)
    assert outcomes(swept)["review-a"] == "stays"
    assert swept[0].why == "it was deployed again meanwhile"
    assert stacks.engine.destroyed == ["shop-review-b"]


def test_one_that_is_gone_before_its_turn_is_no_failure(stacks: Stacks) -> None:
    found = sweep.look(stacks.session)
    stacks.file("shop-review-a").unlink()
    assert outcomes(sweep.remove(stacks.session, found))["review-a"] == "removed"
    assert stacks.engine.destroyed == ["shop-review-b"]


def test_an_interruption_ends_the_sweep(stacks: Stacks) -> None:
    stacks.engine.refusing["shop-review-a"] = Interrupted("interrupted")
    with pytest.raises(Interrupted):
        sweep.remove(stacks.session, sweep.look(stacks.session))
    assert stacks.engine.destroyed == []
