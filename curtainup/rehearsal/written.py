"""What the containers behind a rehearsal's clouds have written, for the stand-ins of the clouds' logs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from curtainup.util import chunks

if TYPE_CHECKING:
    from docker import APIClient

STREAMS = ("stdout", "stderr")


@dataclass(frozen=True)
class Written:
    """A line.

    Attributes:
        at: when, as the engine writes it: UTC, nine digits of a second; sorts as text.
        stream: `stdout` or `stderr`.
        number: of the line in its stream, from 0.
        text: without the end of the line.

    """

    at: str
    stream: str
    number: int
    text: str


def lines(api: APIClient, container: str) -> list[Written]:
    """Return what a container has written, oldest first; nothing of one that is gone.

    A release's log goes with its container here. The clouds keep it for days.
    """
    from docker.errors import NotFound

    try:
        found = [one for stream in STREAMS for one in _of(api, container, stream)]
    except NotFound:
        return []
    return sorted(found, key=lambda one: (one.at, one.stream, one.number))


def _of(api: APIClient, container: str, stream: str) -> Iterator[Written]:
    found = api.logs(
        container,
        stdout=stream == "stdout",
        stderr=stream == "stderr",
        stream=True,
        follow=False,
        timestamps=True,
    )
    for number, (at, text) in enumerate(chunks.whole(found)):
        yield Written(at, stream, number, text)
