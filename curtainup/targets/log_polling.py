"""Following a log that can only be asked for what it holds: again and again, each line shown once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from curtainup.targets.log_lines import Asked, Line, Lines

OVERLAP = timedelta(seconds=20)
"""How far before the newest line is asked again: entries of several machines do not arrive in order."""


@dataclass(frozen=True)
class Entry:
    """A line, and what the log knows it by."""

    id: str
    line: Line


Read = Callable[[Asked], Iterator[Entry]]
"""Gives the entries that there are, oldest first."""


def lines(read: Read, asked: Asked) -> Lines:
    """Give the lines that there are."""
    if asked.tail != 0:
        yield from (one.line for one in read(asked))


def follow(read: Read, asked: Asked, pause: Callable[[], object]) -> Lines:
    """Give the lines that there are, and then those that come, without end.

    Args:
        read: asks for entries.
        asked: which are wanted; `tail` is of those that there are at first.
        pause: waits between two times of asking.

    """
    newest, seen = datetime.now(UTC), dict[str, datetime]()
    floor = asked.since if asked.tail is None else newest - (OVERLAP if asked.tail else timedelta())
    for number, one in enumerate(read(asked) if asked.tail != 0 else ()):
        if number == 0:
            newest, floor = one.line.at, floor if asked.tail is None else one.line.at
        newest = max(newest, one.line.at)
        seen[one.id] = one.line.at
        yield one.line
    while True:
        pause()
        since = newest - OVERLAP
        for one in read(Asked(asked.releases, max(since, floor) if floor else since)):
            if one.id not in seen:
                seen[one.id] = one.line.at
                newest = max(newest, one.line.at)
                yield one.line
        seen = {name: at for name, at in seen.items() if at >= newest - 2 * OVERLAP}
