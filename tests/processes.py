"""Processes that tests start beside them, and what they ask of those that are to be gone."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[1]


def python(code: str) -> subprocess.Popen[str]:
    """Start a Python that can import ours; it reads from and writes to pipes."""
    return subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    )


@contextmanager
def holding(code: str) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds something, once it has said `held`; it is killed in the end."""
    with python(code) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "held\n"
            yield process
        finally:
            process.kill()


def wait_for_end(pid: int) -> None:
    """A killed process may take a moment, and may stay as a zombie where nobody reaps."""
    give_up = time.monotonic() + 300
    while _is_alive(pid):
        assert time.monotonic() < give_up, f"process {pid} is still there"
        time.sleep(0.01)


def _is_alive(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
