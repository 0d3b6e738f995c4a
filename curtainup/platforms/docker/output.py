"""A container that is followed to its end: what it prints is passed on, and it is stopped when it must be."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Self

from curtainup.util.process import TICK, Ended, Lines

if TYPE_CHECKING:
    from docker.models.containers import Container

Stop = Callable[[threading.Event], None]
"""Stops a container; the event is set as soon as it has ended."""


def follow(
    container: Container,
    *,
    timeout: float,
    on_line: Callable[[str], None],
    cancel: threading.Event,
    stop: Stop,
) -> Ended:
    """Pass on what a running container prints until it ends; a second thread stops it when it must be.

    Args:
        container: that was started.
        timeout: seconds, from now.
        on_line: takes each line of its output and errors.
        cancel: has it stopped when set.
        stop: how it is stopped; returns when it has ended, or does soon.

    """
    lines = Lines(on_line)
    with _Watch(timeout, cancel, stop) as watch:
        for chunk in container.logs(stream=True, follow=True):
            lines.feed(chunk)
    lines.close()
    return watch.ended


class _Watch:
    """Has something stopped when its time is over or someone cancels."""

    def __init__(self, timeout: float, cancel: threading.Event, stop: Stop) -> None:
        self.ended = Ended.BY_ITSELF
        self._deadline = time.monotonic() + timeout
        self._cancel = cancel
        self._stop = stop
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="watch-container", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._done.wait(TICK):
            if self._cancel.is_set():
                self.ended = Ended.STOPPED
            elif time.monotonic() > self._deadline:
                self.ended = Ended.TIMED_OUT
            else:
                continue
            self._stop(self._done)
            return
