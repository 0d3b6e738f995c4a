"""Looks at a command and all that it started, from its start to its end: proc(5)."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

LOOK_EVERY = 0.02
TICK = 1.0 / os.sysconf("SC_CLK_TCK")
PLUGIN = "pulumi-resource-"
DRIVER, PYTEST = "driver", "pytest"
OF_TESTS = ("pytest", "fork_server.py")
"""What the command line of a process that runs tests has, or of the one that forks them."""
NAMED = {"pulumi": "Pulumi engine", "git": "git", "docker": "Docker client", "sh": "shell", "bash": "shell"}


@dataclass
class Process:
    """A process that was seen.

    Attributes:
        kind: what it is, by its command line.
        seen: the times at which it was there, each with the processor seconds used since the one before.
        used: the processor seconds of all of them.

    """

    kind: str
    seen: list[tuple[float, float]] = field(default_factory=list)
    used: float = 0.0


class Sampler:
    """Looks at a process and its descendants every `LOOK_EVERY` seconds, in a thread."""

    def __init__(self) -> None:
        self.processes: dict[tuple[int, str], Process] = {}
        self._thread: threading.Thread | None = None

    def watch(self, pid: int) -> None:
        """Begin to look; it ends with the process."""
        self._thread = threading.Thread(target=self._watch, args=(pid,), daemon=True)
        self._thread.start()

    def join(self) -> list[Process]:
        """Return what was seen, after the end of the process."""
        if self._thread is not None:
            self._thread.join()
        return list(self.processes.values())

    def _watch(self, root: int) -> None:
        known = {root}
        while Path(f"/proc/{root}").exists():
            now = time.time()
            known = {pid for pid in set(_with_descendants(known)) if self._look(pid, root, now)}
            time.sleep(LOOK_EVERY)

    def _look(self, pid: int, root: int, now: float) -> bool:
        """Note what a process has used; return whether it is still there."""
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            words = Path(f"/proc/{pid}/cmdline").read_text(errors="replace").split("\0")
        except OSError:
            return False
        used, started = (int(fields[11]) + int(fields[12])) * TICK, fields[19]
        one = self.processes.setdefault((pid, started), Process(""))
        if any(words):  # a zombie has none
            one.kind = DRIVER if pid == root else kind_of(words)
        one.seen.append((now, used - one.used))
        one.used = used
        return True


def kind_of(words: list[str]) -> str:
    """Return what a process is, by its command line."""
    name = Path(words[0]).name
    if name.startswith(PLUGIN):
        return f"{name.removeprefix(PLUGIN).capitalize()} plugin"
    if name.startswith("python"):
        return PYTEST if any(mark in word for word in words[1:] for mark in OF_TESTS) else "other Python"
    return NAMED.get(name, name)


def _with_descendants(pids: set[int]) -> Iterator[int]:
    """Yield processes and their descendants; whoever has lost its parent stays known by having been known."""
    for pid in pids:
        yield pid
        found: set[int] = set()
        for file in Path(f"/proc/{pid}/task").glob("*/children"):
            try:
                found.update(int(word) for word in file.read_text().split())
            except OSError:
                continue
        yield from _with_descendants(found - pids)
