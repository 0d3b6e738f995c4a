"""The engine processes in flight. It does not import the SDK, because signal handlers use this module."""

from __future__ import annotations

import signal
import subprocess
import threading


class Processes:
    """The engine processes in flight, and the one way to stop them.

    The engine takes its lock on a stack before it listens to signals, so a SIGINT in between would leave the
    lock behind. curtainup therefore interrupts a process only after the process has reported that it is at
    work. Commands that never report it (`config set`, `stack init`) are short and end by themselves.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._at_work: set[subprocess.Popen[bytes]] = set()
        self._interrupted = False

    def at_work(self, process: subprocess.Popen[bytes]) -> None:
        """Note that a process may be interrupted; interrupt it at once if the run is stopping."""
        with self._lock:
            if process in self._at_work:
                return
            self._at_work.add(process)
            if self._interrupted:
                process.send_signal(signal.SIGINT)

    def ended(self, process: subprocess.Popen[bytes]) -> None:
        """Forget a process."""
        with self._lock:
            self._at_work.discard(process)

    def interrupt(self) -> None:
        """Send each process its one SIGINT, after which it finishes its work, records it, and ends."""
        with self._lock:
            if self._interrupted:
                return
            self._interrupted = True
            for process in self._at_work:
                process.send_signal(signal.SIGINT)

    def resume(self) -> None:
        """Allow processes again, so that they can undo what was interrupted."""
        with self._lock:
            self._interrupted = False
