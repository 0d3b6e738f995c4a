"""Runs a tool that may take minutes: with a time limit and progress reports, and its last lines in errors."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

from curtainup.errors import SetupError

Report = Callable[[str], None]
"""Receives one line of progress for people."""

LAST_LINES = 15


def run(
    argv: Sequence[str | Path],
    what: str,
    report: Report,
    *,
    timeout: float,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    every: float = 10.0,
) -> str:
    """Run a tool to its end and return what it printed, both streams as one.

    Args:
        argv: the tool and its arguments.
        what: a description for progress and errors, such as `building the Pulumi engine`.
        report: receives, every `every` seconds, how long the tool has run and its last line.
        timeout: seconds after which the tool and its children are killed.
        env: variables on top of those of this process.
        cwd: the folder in which the tool runs.
        every: seconds between two progress reports.

    Raises:
        SetupError: the tool does not start, ended with an error, or took too long.

    """
    started = time.monotonic()
    with tempfile.TemporaryFile(mode="w+", errors="replace") as output:
        try:
            process = subprocess.Popen(
                [str(part) for part in argv],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(env or {})},
                cwd=cwd,
                start_new_session=True,
            )
        except OSError as error:
            raise SetupError(f"{what} failed: {argv[0]} cannot be started", detail=str(error)) from error
        try:
            ended = _wait(process, timeout, every, lambda: report(f"{what}: {_signs(output, started)}"))
        finally:
            end(process)
        output.seek(0)
        text = output.read()
    if not ended:
        raise SetupError(f"{what} took longer than {timeout:.0f} s", detail=last_lines(text))
    if process.returncode != 0:
        raise SetupError(f"{what} failed", detail=last_lines(text))
    return text


def last_lines(text: str) -> str:
    """Return the end of a tool's output, which usually explains a failure."""
    return "\n".join(deque((line for line in text.splitlines() if line.strip()), LAST_LINES))


def _wait(process: subprocess.Popen[bytes], timeout: float, every: float, alive: Callable[[], None]) -> bool:
    """Wait for the end of a process and call `alive` meanwhile; return False on time-out."""
    deadline = time.monotonic() + timeout
    while (left := deadline - time.monotonic()) > 0:
        try:
            process.wait(min(every, left))
        except subprocess.TimeoutExpired:
            alive()
        else:
            return True
    return False


def _signs(output: IO[str], started: float) -> str:
    """Return how long a process has run, and the last line that it has written so far."""
    descriptor = output.fileno()
    end = os.pread(descriptor, 1000, max(0, os.fstat(descriptor).st_size - 1000))
    lines = [line.strip() for line in end.decode(errors="replace").splitlines() if line.strip()]
    minutes, seconds = divmod(int(time.monotonic() - started), 60)
    elapsed = f"{minutes} min {seconds:02} s" if minutes else f"{seconds} s"
    return f"{elapsed} so far ({lines[-1][:100]})" if lines else f"{elapsed} so far"


def end(process: subprocess.Popen[bytes]) -> None:
    """End a process that leads a session of its own, with its children, if it still runs."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
