from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from curtainup.environments import history
from curtainup.environments.history import Occasion
from tests import samples

START = 1795275084
ONE, TWO = "r0000001", "r0000002"


def _entry(minute: int, traffic: dict[str, int] | None, **changed: Any) -> dict[str, Any]:
    """The entry of an update to this traffic of the releases named in it."""
    config: dict[str, Any] = {"curtainup:by": f"by{minute}"}
    if traffic is not None:
        config["curtainup:traffic"] = traffic
        config["curtainup:releases"] = [{"id": one} for one in traffic]
    about = {"git.author": "Ann", "git.head": f"b3548e{minute}"}
    entry = {"kind": "update", "startTime": START + 60 * minute, "result": "succeeded"}
    return {**entry, "environment": about, "config": config, **changed}


def _found(*oldest_first: Mapping[str, Any]) -> dict[str, str]:
    """By release who gave it the share that it has: 0 and 100."""
    found = history.occasions(samples.deployment(0, 100), reversed(oldest_first))
    return {one: occasion.by for one, occasion in found.items()}


STORY = (_entry(0, {ONE: 100}), _entry(1, {ONE: 100, TWO: 0}), _entry(2, {ONE: 0, TWO: 100}))


def test_a_release_has_its_share_since_the_update_that_gave_it() -> None:
    found = history.occasions(samples.deployment(0, 100), reversed(STORY))
    occasion = Occasion("2026-11-21T15:33:24+00:00", "by2", "Ann", "b3548e2")
    assert found == {ONE: occasion, TWO: occasion}


def test_updates_that_move_nothing_do_not_count() -> None:
    refresh = _entry(4, None, kind="refresh")
    assert _found(*STORY, _entry(3, {ONE: 0, TWO: 100}), refresh) == {ONE: "by2", TWO: "by2"}


def test_a_failed_update_to_another_share_is_passed_over_and_one_to_this_share_counts() -> None:
    back = _entry(3, {ONE: 100, TWO: 0}, result="failed")
    assert _found(*STORY, back, _entry(4, {ONE: 0, TWO: 100})) == {ONE: "by2", TWO: "by2"}
    cut_off = (*STORY[:2], _entry(2, {ONE: 0, TWO: 100}, result="failed"))
    assert _found(*cut_off) == {ONE: "by2", TWO: "by2"}


def test_before_the_environment_was_destroyed_does_not_count() -> None:
    again = _entry(8, {ONE: 0, TWO: 100})
    assert _found(*STORY, _entry(7, None, kind="destroy", config={}), again) == {ONE: "by8", TWO: "by8"}


def test_a_history_that_tells_another_split_tells_nothing() -> None:
    assert _found(*STORY[:2]) == {}
    assert _found() == {}


def test_no_more_entries_are_read_than_needed() -> None:
    def newest_first() -> Iterator[Mapping[str, Any]]:
        yield from reversed(STORY[1:])
        raise AssertionError("one too many")

    assert len(history.occasions(samples.deployment(0, 100), newest_first())) == 2


def test_the_commit_of_a_version_is_told_in_full_where_it_was_seen() -> None:
    seen = [Occasion("", "", "", ""), Occasion("", "", "Ann", "b3548e0b1c")]
    assert history.commit_of("200415-0819-953-b3548e", seen) == "b3548e0b1c"
    assert history.commit_of("200415-0819-953-b3548e-dirty-0a1b2c", seen) == "b3548e0b1c"
    assert history.commit_of("200415-0819-953-0a1b2c", seen) == "0a1b2c"
    assert history.commit_of("v1.2.3", seen) is None
