from __future__ import annotations

from curtainup.rehearsal.rate import Rate


def test_who_is_refused_is_admitted_once_the_calls_before_are_long_ago() -> None:
    now = [0.0]
    rate = Rate(2, 10.0, lambda: now[0])
    assert [rate.admits() for _ in range(4)] == [True, True, False, False]
    now[0] = 9.9
    assert not rate.admits()
    now[0] = 10.0
    assert [rate.admits() for _ in range(3)] == [True, True, False], "what was refused has not counted"
