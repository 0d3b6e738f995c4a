from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from curtainup.errors import Busy, Interrupted
from curtainup.pipeline.run import waiting
from curtainup.pipeline.run.waiting import patiently


class Lock:
    """A lock that other runs hold for some attempts."""

    def __init__(self, *holders: str) -> None:
        self.holders = list(holders)
        self.held = False

    @contextmanager
    def hold(self) -> Iterator[None]:
        if self.holders:
            raise Busy("another run of shop is under way", where=self.holders.pop(0), consequence="no start")
        self.held = True
        yield
        self.held = False


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "POLL", 0.001)


def test_a_run_waits_and_says_for_whom_once() -> None:
    lock, told = Lock("process 7", "process 7", "process 8"), list[str]()
    with patiently(lock.hold, 600, told.append):
        held = lock.held
    assert (held, lock.held) == (True, False)
    assert [line.rpartition("(")[2] for line in told] == ["process 7)", "process 8)"]
    assert "up to 10m" in told[0]


def test_without_patience_it_does_not_wait_and_names_the_option() -> None:
    told: list[str] = []
    with pytest.raises(Busy) as caught, patiently(Lock("process 7").hold, 0, told.append):
        pytest.fail("it has the lock")
    assert told == []
    assert caught.value.where == "process 7"
    assert "--wait 10m" in (caught.value.fix or "")


def test_patience_ends() -> None:
    lock = Lock(*["process 7"] * 100_000)
    with pytest.raises(Busy) as caught, patiently(lock.hold, 0.01, lambda _: None):
        pytest.fail("it has the lock")
    assert "of waiting" in (caught.value.consequence or "")


def test_ctrl_c_ends_the_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    def pressed(_: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(time, "sleep", pressed)
    with pytest.raises(Interrupted), patiently(Lock("process 7").hold, 60, lambda _: None):
        pytest.fail("it has the lock")


def test_the_works_own_busy_is_not_waited_for() -> None:
    lock = Lock()
    with pytest.raises(Busy, match="stack"), patiently(lock.hold, 600, lambda _: None):
        raise Busy("another update of this stack is under way")
    assert not lock.holders
