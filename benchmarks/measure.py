"""Running a command and saying what it cost: wall clock, processor seconds, memory."""

from __future__ import annotations

import os
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

LOOK_EVERY = 0.02
"""Seconds between two looks at a process's memory; its high-water mark is kept by the kernel."""


class CommandFailed(Exception):
    """A measured command ended with another exit code than 0, so its time says nothing."""


@dataclass(frozen=True)
class Cost:
    """What one command cost.

    Attributes:
        wall: seconds from its start to its end.
        cpu: seconds of user and system time, with all that it started and waited for.
        peak_mb: the most resident memory of the process itself (VmHWM), without what it started.

    """

    wall: float
    cpu: float
    peak_mb: float


@dataclass(frozen=True)
class Spread:
    """The middle and the ends of repeated measurements."""

    median: float
    low: float
    high: float


def spread(values: Sequence[float]) -> Spread:
    """Return the median, least and greatest of some values."""
    return Spread(statistics.median(values), min(values), max(values))


def run(
    command: Sequence[str], cwd: Path, env: Mapping[str, str], watch: Callable[[int], None] | None = None
) -> Cost:
    """Run a command to its end and return what it cost.

    Args:
        command: the command line.
        cwd: where it runs.
        env: all its variables.
        watch: told the process's id at once.

    Raises:
        CommandFailed: with the end of its output.

    """
    with tempfile.TemporaryFile() as output:
        started = time.monotonic()
        process = subprocess.Popen(
            command, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
        )
        memory = _Memory(process.pid)
        if watch is not None:
            watch(process.pid)
        _, status, used = os.wait4(process.pid, 0)
        wall = time.monotonic() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        peak = memory.stop()
        if process.returncode != 0:
            output.seek(0)
            end = output.read().decode(errors="replace")[-3000:]
            raise CommandFailed(f"{' '.join(command)}: exit code {process.returncode}\n{end}")
    return Cost(wall, used.ru_utime + used.ru_stime, peak)


class _Memory:
    """Reads the high-water mark of a process's memory until it is stopped."""

    def __init__(self, pid: int) -> None:
        self._status = Path(f"/proc/{pid}/status")
        self._peak_kb = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def stop(self) -> float:
        """Return the highest mark that was seen, in MB."""
        self._stop.set()
        self._thread.join()
        return self._peak_kb / 1024

    def _watch(self) -> None:
        while not self._stop.wait(LOOK_EVERY):
            try:
                lines = self._status.read_text().splitlines()
            except OSError:
                return
            marks = [int(line.split()[1]) for line in lines if line.startswith("VmHWM:")]
            self._peak_kb = max(self._peak_kb, *marks, 0)
