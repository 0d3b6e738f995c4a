"""Ctrl-C and SIGTERM: the main thread handles them, and the work runs in another thread.

When one arrives, the run finishes the operation in flight, undoes what it had begun, and ends.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from types import FrameType
from typing import TypeVar

from curtainup.session import Session
from curtainup.util.process import LOOK

Result = TypeVar("Result")
SIGNALS = (signal.SIGINT, signal.SIGTERM)


def interruptible(session: Session, work: Callable[[], Result]) -> Result:
    """Do the work in a thread and return its result; must be called from the main thread."""
    with ThreadPoolExecutor(1, thread_name_prefix="run") as pool, _handled(session):
        running = pool.submit(work)
        while not running.done():
            wait([running], LOOK)
        return running.result()


@contextmanager
def _handled(session: Session) -> Iterator[None]:
    def stop(_number: int, _frame: FrameType | None) -> None:
        if session.run.cancelled.is_set():
            session.run.report.warn(
                "still stopping: curtainup finishes the operation in flight, and undoes it if it can"
            )
            return
        session.run.cancelled.set()
        session.run.report.warn("stopping: curtainup finishes the operation in flight first")
        session.run.processes.interrupt()

    before = {number: signal.signal(number, stop) for number in SIGNALS}
    try:
        yield
    finally:
        if not session.run.cancelled.is_set():  # else the process ends, and no signal is to cut that off
            for number, handler in before.items():
                signal.signal(number, handler)
