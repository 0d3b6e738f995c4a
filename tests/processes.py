"""What tests ask of processes that are to be gone."""

from __future__ import annotations

import time

import psutil


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
