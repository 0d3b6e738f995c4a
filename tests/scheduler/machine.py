"""Schedulers in processes of their own that share a folder, as containers share a volume."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from zipfile import ZipFile

from curtainup.scheduler import plan
from curtainup.util import zones

PATIENCE = 60.0
BEGIN = """\
import socket, sys
from datetime import timedelta
from pathlib import Path
from curtainup.scheduler import asking, command, loop, memory
clock, now = Path(sys.argv[1], "clock"), memory.now
memory.now = loop.now = lambda: now() + timedelta(seconds=int(clock.read_text() if clock.exists() else 0))
command.MEMORY, asking.ADDRESS = sys.argv[1], "\\0" + sys.argv[2]
socket.gethostname = lambda: sys.argv[2]
sys.exit(command.main(sys.argv[3:]))
"""
Runs = list[dict[str, Any]]


def schedule(name: str, command: Sequence[str], cron: str = "* * * * * *", **more: Any) -> dict[str, Any]:
    """The fields of a schedule; one of six fields comes due every second."""
    usual = {
        "timezone": "UTC",
        "time_limit": 60,
        "overlap": "forbid",
        "start_within": 300,
        "stop_timeout": 10,
    }
    return {"name": name, "command": list(command), "cron": cron, **usual, **more}


def assert_once_each(found: Runs) -> None:
    """Check that each second has had its run, and no second two.

    On a machine that is busy for seconds, due times give way to a later one, and are remembered as that.
    """
    assert {one["outcome"] for one in found} <= {"ok", "running", "skipped"}
    for one, following in pairwise(sorted(found, key=lambda run: str(run["due"]))):
        count = re.match(r"(\d+) due times gave way", one["why"])
        gap = datetime.fromisoformat(following["due"]) - datetime.fromisoformat(one["due"])
        assert gap == timedelta(seconds=int(count[1]) if count else 1), (one, following)


class Machine:
    """A folder, and the schedulers of one or more releases."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.said: dict[str, str] = {}
        self._addresses: dict[str, str] = {}

    def plan(self, release: str, *schedules: Mapping[str, Any]) -> Path:
        """Write what the scheduler of a release is to run."""
        archive = self.folder / f"{release}.pyz"
        names = {one["timezone"] for one in schedules}
        with ZipFile(archive, "w") as file:
            file.writestr(
                "plan.json", plan.written(release, schedules, {one: zones.data(one) for one in names})
            )
        return archive

    @contextmanager
    def scheduler(self, release: str, *schedules: Mapping[str, Any]) -> Iterator[subprocess.Popen[str]]:
        """A scheduler that works, and is ended with the block."""
        self._addresses[release] = uuid.uuid4().hex
        command = self._command(release, str(self.plan(release, *schedules)))
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        try:
            self.wait(lambda: self.ask(release, "ready").returncode == 0, "it is ready")
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            self.said[release], _ = process.communicate(timeout=PATIENCE)

    def ask(self, release: str, *words: str) -> subprocess.CompletedProcess[str]:
        """Ask the scheduler of a release, as somebody in its container does."""
        command = self._command(release, "nothing", *words)
        return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)

    def check(self, release: str, *schedules: Mapping[str, Any]) -> subprocess.CompletedProcess[str]:
        """Let the scheduler of a release say whether it can work, and run nothing."""
        self._addresses.setdefault(release, uuid.uuid4().hex)
        command = self._command(release, str(self.plan(release, *schedules)), "check")
        return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)

    def set_clock(self, seconds: int) -> None:
        """Set the clock of all schedulers ahead of the machine's, or back."""
        new = self.folder / "clock.new"
        new.write_text(str(seconds))
        new.replace(self.folder / "clock")

    def host(self, release: str) -> str:
        """The host name of the container in which the scheduler of a release is."""
        return self._addresses[release]

    def runs(self) -> Runs:
        """What is remembered."""
        done = subprocess.run(
            self._command("", "nothing", "runs"), capture_output=True, text=True, timeout=PATIENCE, check=True
        )
        found: Runs = json.loads(done.stdout)
        return found

    def await_runs(self, is_enough: Callable[[Runs], bool], what: str) -> Runs:
        """Wait until enough is remembered, and return it."""
        self.wait(lambda: is_enough(self.runs()), what)
        return self.runs()

    def wait(self, is_so: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while not is_so():
            assert time.monotonic() < deadline, f"{what}: {self.runs()}"
            time.sleep(0.05)

    def _command(self, release: str, *words: str) -> list[str]:
        address = self._addresses.get(release, "nobody")
        return [sys.executable, "-c", BEGIN, str(self.folder), address, *words]
