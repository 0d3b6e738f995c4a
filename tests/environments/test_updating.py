"""An update whose answer got lost is made again, and what is told late is read again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from threading import Event
from typing import Any

import pytest

from curtainup.environments import stack as environments
from curtainup.environments import updating
from curtainup.errors import CurtainupError, EngineFailed, Interrupted
from curtainup.model.environment import Environment
from curtainup.model.release import Deployment

LOST = EngineFailed("the update failed", detail="already exists")
HERE = Environment("shop-live")
WANTED = Deployment(candidate="r2")


class Target:
    """A target that reclaims what it is told to, and lags for so many looks."""

    def __init__(self, *, reclaims: bool = False, lags: int = 0) -> None:
        self._reclaims, self._lags = reclaims, lags

    def reclaim(self, error: CurtainupError, started: datetime, say: Callable[[str], None]) -> bool:
        del say
        assert error is LOST
        assert started <= datetime.now(UTC)
        return self._reclaims

    def lags(self, found: Environment, deployment: Deployment) -> bool:
        assert (found, deployment) == (HERE, WANTED)
        self._lags -= 1
        return self._lags >= 0

    def explained(self, error: CurtainupError, started: datetime) -> CurtainupError:
        del started
        return EngineFailed(f"explained: {error.what}")


@pytest.fixture
def applied(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """By update, whether it read first what is really there."""
    made: list[bool] = []

    def apply(*given: Any, refresh: bool = False, **__: Any) -> Environment:
        assert given[2] == WANTED, "another deployment would move traffic back"
        made.append(refresh)
        return HERE

    monkeypatch.setattr(environments, "apply", apply)
    monkeypatch.setattr(updating, "LAG_PAUSE", 0.001)
    return made


def fails_at_first(monkeypatch: pytest.MonkeyPatch, applied: list[bool], times: int = 1) -> None:
    good = environments.apply

    def apply(*given: Any, **named: Any) -> Environment:
        if len(applied) < times:
            applied.append(named.get("refresh", False))
            raise LOST
        return good(*given, **named)

    monkeypatch.setattr(environments, "apply", apply)


def update(target: Target, said: list[str] | None = None, cancelled: Event | None = None) -> Environment:
    engine: Any = None
    found: Any = target
    return updating.update(
        engine,
        found,
        HERE,
        WANTED,
        (said if said is not None else []).append,
        refresh=False,
        on_made=None,
        cancelled=cancelled or Event(),
    )


def test_an_update_that_is_good_is_made_once(applied: list[bool]) -> None:
    assert update(Target()) is HERE
    assert applied == [False]


def test_what_was_made_unseen_is_made_again(applied: list[bool], monkeypatch: pytest.MonkeyPatch) -> None:
    fails_at_first(monkeypatch, applied)
    assert update(Target(reclaims=True)) is HERE
    assert applied == [False, True], "the second update reads first what is there"


def test_what_is_nobody_s_loss_is_explained(applied: list[bool], monkeypatch: pytest.MonkeyPatch) -> None:
    fails_at_first(monkeypatch, applied)
    with pytest.raises(EngineFailed, match="explained: the update failed"):
        update(Target())
    assert applied == [False]


def test_it_is_made_again_only_once(applied: list[bool], monkeypatch: pytest.MonkeyPatch) -> None:
    fails_at_first(monkeypatch, applied, times=2)
    with pytest.raises(EngineFailed, match="explained"):
        update(Target(reclaims=True))
    assert applied == [False, True]


def test_what_is_told_late_is_read_again(applied: list[bool]) -> None:
    said: list[str] = []
    update(Target(lags=2), said)
    assert applied == [False, True, True]
    assert said == ["reading shop-live again: what is told of it is still of the time before"] * 2


def test_reading_again_ends(applied: list[bool], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(updating, "LAG_PATIENCE", 0.0)
    update(Target(lags=10**6))
    assert applied == [False]


def test_a_cancelled_run_reads_no_more(applied: list[bool]) -> None:
    cancelled = Event()
    cancelled.set()
    with pytest.raises(Interrupted):
        update(Target(lags=1), cancelled=cancelled)
