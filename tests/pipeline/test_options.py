from __future__ import annotations

import pytest

from curtainup.pipeline.options import HELD_AT, UNTIL, Options


@pytest.mark.parametrize(
    ("until", "only", "environments"),
    [
        (None, None, ("staging", "live")),
        (HELD_AT, None, ("staging", "live")),
        ("staging", None, ("staging",)),
        ("staging-gate", None, ("staging",)),
        ("push", None, ()),
        ("unit", None, ()),
        (None, "staging", ("staging",)),
        (None, "live", ("live",)),
        (HELD_AT, "live", ("live",)),
    ],
)
def test_which_environments_are_deployed_to(
    until: str | None, only: str | None, environments: tuple[str, ...]
) -> None:
    assert Options(until=until, only=only).environments == environments


def test_a_step_is_reached_when_none_before_it_is_the_last() -> None:
    options = Options(until="push")
    assert [options.reaches(step) for step in UNTIL] == [True, True, True, True, False, False, False]
    assert all(Options().reaches(step) for step in UNTIL)
    assert not options.hold
    assert Options(until=HELD_AT).hold
