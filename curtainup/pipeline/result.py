"""What a run came to."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Result:
    """What a run came to.

    Attributes:
        url: where live is reached.
        version: what serves there.
        release: its id.
        changed: whether anything had to move.
        held: whether it is a candidate without traffic yet; `url` is its own then.
        until: the step after which the run was to stop, before live; None when it went on.
        image: what the run has built, when that is in no environment yet.

    """

    url: str
    version: str
    release: str
    changed: bool
    held: bool = False
    until: str | None = None
    image: str = ""
