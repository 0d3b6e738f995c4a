"""Formats text for people."""

from __future__ import annotations

import re
import textwrap

from curtainup.errors import CurtainupError
from curtainup.model.run import Outcome

VERBS: dict[Outcome, str] = {
    "passed": "done",
    "failed": "FAILED",
    "skipped": "skipped",
    "cancelled": "stopped",
}
"""The outcome of a step in one word."""

_CONTROL = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|[\x00-\x08\x0b-\x1f\x7f]")
"""Escape sequences (ECMA-48: CSI and OSC) and control characters, except tab and newline."""


def clean(text: str) -> str:
    """Remove everything that would move the cursor or colour the terminal."""
    return _CONTROL.sub("", text)


def one_line(text: str) -> str:
    """Clean a text and put it on one line."""
    return " ".join(clean(text).split())


def duration(seconds: float) -> str:
    """Format seconds for people: `0.4 s`, `12.3 s`, `2 min 05 s`."""
    if round(seconds, 1) < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02} s"


def render_error(error: CurtainupError) -> str:
    """Format an error for people: what happened, where, the consequence, the fix, and below it the detail."""
    parts = (("where", error.where), ("so", error.consequence), ("fix", error.fix))
    lines = [f"error: {_hanging(error.what, 7)}"]
    lines += [f"    {name + ':':<6} {_hanging(text, 11)}" for name, text in parts if text]
    if error.detail and error.detail.strip():
        lines += ["", textwrap.indent(clean(error.detail).strip("\n"), "    ")]
    return "\n".join(lines)


def _hanging(text: str, width: int) -> str:
    """Indent all lines of the text but the first."""
    return clean(text).strip().replace("\n", "\n" + " " * width)
