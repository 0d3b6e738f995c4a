"""What is asked of a log, and what it is made of."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True)
class Line:
    """One line that a release has written.

    Attributes:
        at: when, with its time zone.
        release: the id of the release.
        text: without the end of the line.
        process: the process that wrote it and which of its copies, such as `worker.1`; empty for the service.

    """

    at: datetime
    release: str
    text: str
    process: str = ""


@dataclass(frozen=True)
class Asked:
    """Which lines are wanted.

    Attributes:
        releases: ids; None is all that there are, and when followed those that come later too.
        since: nothing that is older; None is no such bound.
        tail: the last so many of all; None is every one.
        process: the process that wrote them; empty is the service itself.

    """

    releases: tuple[str, ...] | None = None
    since: datetime | None = None
    tail: int | None = None
    process: str = ""

    def wants(self, release: str) -> bool:
        """Return whether lines of a release are wanted."""
        return self.releases is None or release in self.releases


Lines = Generator[Line, None, None]


class Source(Protocol):
    """Where the lines of an environment are kept."""

    outlives: bool
    """Whether lines stay when the release that wrote them is gone."""

    def lines(self, asked: Asked) -> Lines:
        """Give the lines that there are, oldest first.

        Raises:
            SetupError: they cannot be read.

        """

    def follow(self, asked: Asked) -> Lines:
        """Give the lines that there are and, as they come, those that are written from then on, without end.

        Raises:
            SetupError: they cannot be read.

        """
