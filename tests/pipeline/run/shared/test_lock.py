from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from curtainup.errors import Busy, EngineFailed
from curtainup.pipeline.run import holder
from curtainup.pipeline.run.holder import Holder
from curtainup.pipeline.run.shared import lock
from curtainup.pipeline.run.shared.place import Taken


class Kept:
    """A place in memory."""

    where = "a list"

    def __init__(self, found: Taken | None = None) -> None:
        self.found = found
        self.fails = False
        self.interrupts = False

    def take(self, this: Holder) -> bool:
        if self.found is not None:
            return False
        self.found = Taken(this)
        return True

    def taken(self) -> Taken | None:
        return self.found

    def drop(self, found: Taken) -> bool:
        if self.fails:
            raise EngineFailed("no network")
        if self.found != found:
            return self.found is None
        self.found = None
        return True


@pytest.fixture
def this(tmp_path: Path) -> Holder:
    (tmp_path / "lock").touch()
    return holder.own("this", tmp_path / "lock", {})


@pytest.fixture
def gone(this: Holder) -> Holder:
    """A run of this user on this machine, which has ended."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        pass
    return replace(this, run="gone", pid=process.pid, ticks=1, file="1:1")


@pytest.fixture(autouse=True)
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "PATIENCE", 0.3)
    monkeypatch.setattr(lock, "PAUSE", 0.05)


def refused(place: Kept, this: Holder) -> Busy:
    warnings: list[str] = []
    with pytest.raises(Busy) as caught:
        lock.acquire(place, "shop", this, warnings.append)
    assert warnings == []
    return caught.value


def test_a_free_lock_is_taken(this: Holder) -> None:
    place = Kept()
    lock.acquire(place, "shop", this, pytest.fail)
    assert place.found == Taken(this)


def test_a_run_that_is_proved_to_have_ended_loses_it(this: Holder, gone: Holder) -> None:
    place, warnings = Kept(Taken(gone)), list[str]()
    lock.acquire(place, "shop", this, warnings.append)
    assert place.found == Taken(this)
    assert warnings == [f"took over the lock of shop from process {gone.pid}, which is dead"]


def test_whoever_may_live_keeps_it(this: Holder, gone: Holder) -> None:
    for other in (
        replace(gone, pid=this.pid, ticks=this.ticks),
        replace(gone, boot="of another machine"),
        replace(gone, boot="before this machine was started again", machine=this.machine),
        replace(gone, namespace=1),
        replace(gone, who="another@user"),
        replace(gone, boot=""),
    ):
        place = Kept(Taken(other))
        error = refused(place, this)
        assert place.found == Taken(other)
        assert error.where == f"{other.told} (a list)"
        assert "curtainup unlock" in str(error.fix)


def test_a_lock_that_is_never_signed_is_somebody_s(this: Holder) -> None:
    assert refused(Kept(Taken(None)), this).where == "an unknown run (a list)"


def test_a_lock_that_is_given_back_meanwhile_is_taken(this: Holder, gone: Holder) -> None:
    class Leaving(Kept):
        def taken(self) -> Taken | None:
            self.found = None
            return None

    place = Leaving(Taken(replace(gone, boot="another")))
    lock.acquire(place, "shop", this, pytest.fail)
    assert place.found == Taken(this)


def test_nobody_takes_a_lock_away_at_the_same_time(this: Holder, gone: Holder) -> None:
    place = Kept(Taken(gone))
    with lock.turn() as ours:
        assert ours
        error = refused(place, this)
    assert place.found == Taken(gone)
    assert gone.told in str(error.where)


def test_what_another_run_has_taken_meanwhile_is_not_taken_away(this: Holder, gone: Holder) -> None:
    place = Kept(Taken(replace(gone, run="a new one", boot="another")))
    assert not lock.free(place, Taken(gone))
    assert place.found is not None


def test_ctrl_c_while_it_is_taken_leaves_it_free(this: Holder) -> None:
    class Interrupting(Kept):
        def take(self, this: Holder) -> bool:
            taken = super().take(this)
            import _thread
            import time

            _thread.interrupt_main()
            time.sleep(0.2)
            return taken

    place = Interrupting()
    with pytest.raises(KeyboardInterrupt):
        lock.acquire(place, "shop", this, pytest.fail)
    assert place.found is None


def test_a_lock_that_cannot_be_given_back_is_told(this: Holder) -> None:
    place, warnings = Kept(Taken(this)), list[str]()
    place.fails = True
    lock._give_back(place, this, warnings.append)
    assert warnings == ["the lock is not given back (no network); once this run has ended: curtainup unlock"]


def test_a_lock_that_was_taken_away_is_told(this: Holder, gone: Holder) -> None:
    place, warnings = Kept(Taken(gone)), list[str]()
    lock._give_back(place, this, warnings.append)
    assert warnings == ["the lock was taken away from this run while it worked"]
    assert place.found == Taken(gone)
