"""What has run, in a folder that the schedulers of an environment's releases share, one after the other.

The kernel gives a lock back whatever ends its holder. So locks say which scheduler leads, and whether the one
that began a run is still there.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

KEPT = 50
"""How many of the last runs of a schedule are remembered, and of its last that somebody should know of."""
RUNNING, OK, SKIPPED, MISSED, CUT_OFF = "running", "ok", "skipped", "missed", "cut off"
FAILED, TIMED_OUT = "failed", "timed out"
HAND_OVER = timedelta(minutes=15)
"""What may pass between the end of one leader and the beginning of the next while the schedules are wanted.

A release without schedules may have worked for as short a time. What came due then counts as if it had been
wanted: better a run that is told as missed than one that nobody hears of.
"""
_FINE = (RUNNING, OK, SKIPPED)
_TIMES = ("due", "started", "ended")
_UTC = timezone.utc  # noqa: UP017 - Python 3.10 has no other name for it


def now() -> datetime:
    """Return the time of the machine's clock."""
    return datetime.now(_UTC)


@dataclass
class Run:
    """A run of a schedule, or one that did not start; see `curtainup.model.schedule_run`.

    Attributes:
        id: of the run.
        schedule: the name of the schedule.
        release: the id of the release whose scheduler it was.
        owner: which scheduler has begun it.
        due: when it was to start; None if somebody asked for it.
        started: when it started.
        ended: when it ended, or when it became known that it did not start or was cut off.
        outcome: how.
        exit_code: of its command.
        why: in words, why it did not end well.

    """

    schedule: str
    release: str
    owner: str
    due: datetime | None = None
    started: datetime | None = None
    ended: datetime | None = None
    outcome: str = RUNNING
    exit_code: int | None = None
    why: str = ""
    id: str = field(default_factory=lambda: uuid.uuid4().hex[:12])


@dataclass
class Handled:
    """Up to when a schedule was handled, and the line that said when it came due."""

    line: str
    at: datetime


@dataclass
class State:
    """All that is remembered.

    Attributes:
        handled: by the name of the schedule.
        runs: the oldest first.
        leader: the host name of the container whose scheduler has led last.
        retired: when that one gave the lead away, or ended its last run if nobody has led since; None if it
            leads, or ended without a word.

    """

    handled: dict[str, Handled] = field(default_factory=dict)
    runs: list[Run] = field(default_factory=list)
    leader: str = ""
    retired: datetime | None = None

    def put(self, run: Run) -> None:
        """Put a run in the place of what is remembered of it."""
        self.runs = [run if one.id == run.id else one for one in self.runs]

    def was_paused(self, host: str, now: datetime) -> bool:
        """Return whether nobody wanted the schedules for a while: releases without any have worked.

        A container that starts again after its machine's rest is the same one.
        """
        return self.leader != host and self.retired is not None and now - self.retired > HAND_OVER

    def running(self, schedule: str) -> list[Run]:
        """Return the runs of a schedule that are on their way."""
        return [one for one in self.runs if one.schedule == schedule and one.outcome == RUNNING]


class Memory:
    """The folder, as one scheduler or one that asks uses it.

    Attributes:
        owner: says which scheduler it is, on the runs that it begins.
        host: the host name of its container.

    """

    def __init__(self, folder: Path) -> None:
        """Make the folder where it is not there.

        Raises:
            OSError: it cannot be written.

        """
        self._folder = folder
        self.owner = uuid.uuid4().hex[:8]
        self.host = socket.gethostname()
        self._leader: int | None = None
        self._own: int | None = None
        with suppress(FileExistsError):
            folder.mkdir()
            folder.chmod(0o777)  # the next release's image may have another user

    def work(self) -> None:
        """Show that this scheduler is there, for as long as this process is."""
        with self._alone():
            self._own = self._locked(f"owner-{self.owner}")

    def rest(self) -> None:
        """Show that this scheduler is there no more."""
        if self._own is not None:
            (self._folder / f"owner-{self.owner}").unlink(missing_ok=True)
            os.close(self._own)
            self._own = None

    def leads(self) -> bool:
        """Return whether this scheduler leads; it takes the lead if nobody has it."""
        if self._leader is None:
            self._leader = self._locked("leader")
        return self._leader is not None

    def retire(self) -> None:
        """Give the lead away."""
        if self._leader is not None:
            os.close(self._leader)
            self._leader = None

    @contextmanager
    def change(self) -> Iterator[State]:
        """Give what is remembered, alone, and remember what the block makes of it.

        Runs whose scheduler has gone count as cut off.

        Raises:
            OSError: it cannot be read or written; nothing of the block is remembered.

        """
        with self._alone():
            before = self._read()
            state = _parsed(before)
            self._settle(state)
            yield state
            _forget(state)
            after = _text(state)
            if after != before:
                self._write(after)

    def tidy(self) -> None:
        """Remove what schedulers have left that have gone without a word."""
        with self._alone():
            for one in self._folder.glob("owner-*"):
                self._is_there(one.name.partition("-")[2])

    @contextmanager
    def _alone(self) -> Iterator[None]:
        lock = self._open("lock")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    def _settle(self, state: State) -> None:
        for one in state.runs:
            if one.outcome == RUNNING and not self._is_there(one.owner):
                one.outcome, one.why, one.ended = CUT_OFF, "its container ended", now()

    def _is_there(self, owner: str) -> bool:
        if owner == self.owner:
            return self._own is not None
        if not (self._folder / f"owner-{owner}").exists():
            return False
        lock = self._locked(f"owner-{owner}")
        if lock is not None:
            (self._folder / f"owner-{owner}").unlink(missing_ok=True)
            os.close(lock)
        return lock is None

    def _locked(self, name: str) -> int | None:
        """Return a file that is locked until it is closed; None if somebody else has the lock."""
        found = self._open(name)
        try:
            fcntl.flock(found, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(found)
            return None
        return found

    def _open(self, name: str) -> int:
        found = os.open(self._folder / name, os.O_RDWR | os.O_CREAT, 0o666)
        with suppress(PermissionError):  # it is another user's, who has done so
            os.fchmod(found, 0o666)
        return found

    def _read(self) -> str:
        """Return the text of the file; none for what is no text, as for what is not there."""
        try:
            return (self._folder / "state.json").read_text(encoding="utf-8")
        except (FileNotFoundError, UnicodeDecodeError):
            return ""

    def _write(self, text: str) -> None:
        """Write the file so that a machine that loses its power has the old one or the new one."""
        new = self._folder / "state.json.new"
        new.unlink(missing_ok=True)
        file = self._open(new.name)
        with os.fdopen(file, "w", encoding="utf-8") as writing:
            writing.write(text)
            writing.flush()
            os.fsync(file)
        new.replace(self._folder / "state.json")
        self._keep_names()

    def _keep_names(self) -> None:
        """Have the disk know the new file by its name: without that, the old one may come back."""
        folder = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _forget(state: State) -> None:
    """Keep the last runs of each schedule, and the last that did not end well."""
    kept: set[str] = set()
    for name in {one.schedule for one in state.runs}:
        own = [one for one in state.runs if one.schedule == name]
        bad = [one for one in own if one.outcome not in _FINE]
        kept |= {one.id for one in (*own[-KEPT:], *bad[-KEPT:], *state.running(name))}
    state.runs = [one for one in state.runs if one.id in kept]


def _parsed(text: str) -> State:
    """Return the state that a text holds; an empty one for what is broken: then nothing runs twice."""
    try:
        found = json.loads(text)
        handled = {name: Handled(one["line"], _moment(one["at"])) for name, one in found["handled"].items()}
        runs = [Run(**_with_times(one)) for one in found["runs"]]
        retired = _moment(found["retired"]) if found["retired"] else None
        return State(handled, runs, found["leader"], retired)
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
        return State()


def _with_times(one: dict[str, Any]) -> dict[str, Any]:
    return {**one, **{name: _moment(one[name]) for name in _TIMES if one[name] is not None}}


def _moment(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError("a time without its zone")
    return found


def _text(state: State) -> str:
    return json.dumps(asdict(state), default=lambda moment: moment.isoformat())
