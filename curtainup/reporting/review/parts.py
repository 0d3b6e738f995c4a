"""The two parts of the one comment: the review environment between hidden marks, and the preview below it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

from curtainup.reporting.review.models import Host

LEFT_OUT = "*The rest is omitted here to make room for the part above.*"


class Part(Enum):
    """A part of the comment; the value says what it contains."""

    PREVIEW = "the preview"
    ENVIRONMENT = "the review environment's address"


@dataclass(frozen=True)
class Parts:
    """The texts of a comment; a missing part is empty."""

    environment: str = ""
    preview: str = ""

    def replacing(self, part: Part, text: str) -> Parts:
        """Return the comment with another text in one part."""
        return replace(self, **{part.name.lower(): text})


class Layout:
    """Where the parts of a comment about a subject stand, on one host."""

    def __init__(self, host: Host, subject: str) -> None:
        self.marker = host.marker(subject)
        self._begin = host.marker(f"{subject}, review environment")
        self._end = host.marker(f"{subject}, review environment ends")
        self._host = host

    def read(self, comment: str) -> Parts:
        """Return the parts of a comment that starts with the marker."""
        text = comment.replace("\r\n", "\n").lstrip().removeprefix(self.marker).lstrip("\n")
        if not text.startswith(self._begin) or self._end not in text:
            return Parts(preview=text)
        environment, _, preview = text.removeprefix(self._begin).partition(self._end)
        return Parts(environment.strip("\n"), preview.lstrip("\n"))

    def room(self, parts: Parts, part: Part) -> int:
        """Return how many characters a part may have; only the preview gives way to the other part."""
        others = Parts(environment=parts.environment) if part is Part.PREVIEW else Parts()
        return self._host.room - len(self._joined(others.replacing(part, "x"))) + 1

    def written(self, parts: Parts) -> str:
        """Return the comment; cut the preview if the review environment leaves too little room for it."""
        whole = self._joined(parts)
        if len(whole) <= self._host.room or not parts.environment:
            return whole
        return f"{whole[: self._host.room - len(LEFT_OUT) - 2].rpartition(chr(10))[0]}\n\n{LEFT_OUT}"

    def _joined(self, parts: Parts) -> str:
        framed = (self._begin, parts.environment, self._end) if parts.environment else ()
        return "\n\n".join((self.marker, *framed, *([parts.preview] if parts.preview else [])))
