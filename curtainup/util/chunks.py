"""Splits the stream of a container's log into lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator


def whole(chunks: Iterable[bytes]) -> Iterator[tuple[str, str]]:
    """Yield each line with its time stamp (UTC, nine digits of a second) and without its line end.

    The Docker engine cuts lines of more than 16 KiB, and gives each part its own time stamp.

    Args:
        chunks: the result of `logs(stream=True, timestamps=True)`.

    """
    first, parts = "", b""
    for chunk in chunks:
        stamp, _, rest = chunk.partition(b" ")
        first, parts = first or stamp.decode(), parts + rest
        if parts.endswith(b"\n"):
            yield first, _text(parts)
            first, parts = "", b""
    if first:
        yield first, _text(parts)


def _text(line: bytes) -> str:
    return line.decode(errors="replace").rstrip("\r\n")
