"""Lines that threads put into a queue while logs are followed."""

from __future__ import annotations

from collections.abc import Iterator
from queue import Empty, Queue
from typing import TypeVar

from curtainup.errors import SetupError
from curtainup.util.process import LOOK

T = TypeVar("T")


def come(lines: Queue[T | SetupError]) -> Iterator[T]:
    """Give what comes into the queue, without end; Ctrl-C is heard while nothing comes.

    Raises:
        SetupError: one came.

    """
    while True:
        try:
            found = lines.get(timeout=LOOK)
        except Empty:
            continue
        if isinstance(found, SetupError):
            raise found
        yield found
