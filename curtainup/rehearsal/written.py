"""The output of a rehearsal's containers, for the stand-ins of the clouds' logs."""

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
    """A line of output.

    Attributes:
        at: the time as Docker writes it: UTC, with nine digits of a second; it sorts as text.
        stream: `stdout` or `stderr`.
        number: the number of the line in its stream, from 0.
        text: the text without the end of the line.

    """

    at: str
    stream: str
    number: int
    text: str


def lines(api: APIClient, container: str) -> list[Written]:
    """Return the output of a container, oldest first; empty if the container is gone.

    Here a release's log disappears with its container. The clouds keep it for days.
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
