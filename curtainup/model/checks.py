"""The pieces that the doctor looks at, and what it found of each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Check:
    """What was found of one piece.

    Attributes:
        name: of the piece, such as `Pulumi engine`.
        ok: whether a deployment can stand on it.
        version: of what was found; None when there is none to tell.
        detail: where it is, or what is wrong with it.
        fix: the command or edit that mends it; with `ok`, advice. None when there is nothing to do.

    """

    name: str
    ok: bool
    version: str | None = None
    detail: str | None = None
    fix: str | None = None


@dataclass(frozen=True)
class Found:
    """What is there, and the advice that goes with it; see Check."""

    version: str | None
    detail: str
    advice: str | None = None


@dataclass(frozen=True)
class Piece:
    """A piece that is looked at.

    Attributes:
        name: different for each.
        look: raises a CurtainupError when it is missing.
        mend: brings it, and tells each thing that it does.
        needs: name of the piece without which there is no looking.
        deploys: whether only what changes something needs it, and a preview does not.

    """

    name: str
    look: Callable[[], Found]
    mend: Callable[[Callable[[str], None]], object] | None = None
    needs: str | None = None
    deploys: bool = False
