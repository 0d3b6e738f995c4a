"""Follows a container to its end: passes its output on, and stops the container if necessary."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Self

from curtainup.util.process import TICK, Cancel, Ended, Lines

if TYPE_CHECKING:
    from docker.models.containers import Container

Stop = Callable[[threading.Event], None]
"""Stops a container; the event is set as soon as the container has ended."""


def follow(
    container: Container,
    *,
    timeout: float,
    on_line: Callable[[str], None],
    cancel: Cancel,
    stop: Stop,
) -> Ended:
    """Pass on the output of a container until it ends; a second thread stops it on time-out or `cancel`.

    Args:
        container: a started container.
        timeout: seconds from now, after which the container is stopped.
        on_line: receives each line of standard output and standard error.
        cancel: stops the container when set.
        stop: stops the container; returns when it has ended or is about to end.

    """
    lines = Lines(on_line)
    with _Watch(timeout, cancel, stop) as watch:
        for chunk in container.logs(stream=True, follow=True):
            lines.feed(chunk)
    lines.close()
    return watch.ended


class _Watch:
    """Calls `stop` when the time is over or someone cancels."""

    def __init__(self, timeout: float, cancel: Cancel, stop: Stop) -> None:
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
