"""Which failures of an operation are only the end of another's, on a state in Postgres."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Event
from types import SimpleNamespace
from typing import Any, cast

import pytest
from pulumi.automation import CommandError, CommandResult

from curtainup.engine.aftermath import stack_locks
from curtainup.engine.aftermath.stack_locks import Repair, StackLocks
from curtainup.engine.memory import StackMemory

GONE = (
    "error: could not create stack: could not list bucket: blob (code=NotFound): sql: no rows in result set"
)


def locks(cancelled: Event) -> StackLocks:
    memory = cast(StackMemory, SimpleNamespace(sees_locks=False))
    return StackLocks(memory, cast(Repair, SimpleNamespace(cancelled=cancelled)), lambda _: None)


def failing(times: int, said: str, done: list[str]) -> Callable[[], Any]:
    def operate() -> None:
        done.append("tried")
        if len(done) <= times:
            raise CommandError(CommandResult("", said, 255))

    return operate


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stack_locks, "LOCK_PAUSE", 0.0)


def test_a_lock_that_is_given_back_while_the_engine_looks_is_no_failure() -> None:
    done: list[str] = []
    between: list[str] = []
    locks(Event()).patiently(
        "shop", time.monotonic() + 60, failing(2, GONE, done), lambda: between.append("between")
    )
    assert (len(done), len(between)) == (3, 2)


@pytest.mark.parametrize(
    ("said", "patience", "cancelled"),
    [
        ("error: could not list bucket: connection refused", 60, False),
        (GONE, -1, False),
        (GONE, 60, True),
    ],
)
def test_another_failure_ends_it_and_so_do_the_deadline_and_ctrl_c(
    said: str, patience: float, cancelled: bool
) -> None:
    done: list[str] = []
    stop = Event()
    if cancelled:
        stop.set()
    with pytest.raises(CommandError, match="could not list bucket"):
        locks(stop).patiently("shop", time.monotonic() + patience, failing(1, said, done), lambda: None)
    assert done == ["tried"]


def test_a_stack_whose_lock_is_given_back_just_now_is_asked_for_again() -> None:
    done: list[str] = []
    operate = failing(1, GONE, done)
    memory = cast(StackMemory, SimpleNamespace(sees_locks=False))
    repair = cast(Repair, SimpleNamespace(cancelled=Event()))
    assert StackLocks(memory, repair, lambda _: operate()).is_free("shop", time.monotonic() + 60)
    assert len(done) == 2
