"""Splits the stream of a container's log into lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from curtainup.util.process import Lines


def split(chunks: Iterable[bytes]) -> Iterator[str]:
    """Yield each line without its line end, as soon as it is whole.

    Args:
        chunks: the result of `logs(stream=True)`.

    """
    said: list[str] = []
    lines = Lines(said.append)
    for chunk in chunks:
        lines.feed(chunk)
        yield from said
        said.clear()
    lines.close()
    yield from said


def whole(chunks: Iterable[bytes]) -> Iterator[tuple[str, str]]:
    """Yield each line with its time stamp (UTC, nine digits of a second) and without its line end.

    The Docker engine cuts lines of more than 16 KiB, and gives each part its own time stamp.

    Args:
        chunks: the result of `logs(stream=True, timestamps=True)`.

    """
    first = ""
    said: list[str] = []
    lines = Lines(said.append)
    for chunk in chunks:
        stamp, _, rest = chunk.partition(b" ")
        first = first or stamp.decode(errors="replace")
        lines.feed(rest)
        if said:
            yield first, "\n".join(said)
            first = ""
            said.clear()
    lines.close()
    if said:
        yield first, said[0]
