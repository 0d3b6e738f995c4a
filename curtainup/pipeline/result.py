"""The result of a run."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Result:
    """The result of a run.

    Attributes:
        url: the URL of live.
        version: the version that serves there.
        release: the id of its release.
        changed: whether the run changed anything.
        held: whether the release is a candidate without traffic; `url` is the candidate's own then.
        until: the step after which you told the run to stop, before live; None when it did not stop.
        image: the image that the run has built, when no environment has it yet.

    """

    url: str
    version: str
    release: str
    changed: bool
    held: bool = False
    until: str | None = None
    image: str = ""
