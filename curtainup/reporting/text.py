"""Formats text for people."""

from __future__ import annotations

import textwrap

from curtainup.errors import CurtainupError
from curtainup.model.run import Outcome
from curtainup.reporting.concealing import conceal
from curtainup.util import hidden
from curtainup.util.plain import shortened

VERBS: dict[Outcome, str] = {
    "passed": "done",
    "failed": "FAILED",
    "skipped": "skipped",
    "cancelled": "stopped",
}
"""The outcome of a step in one word."""
LONGEST = 4000
"""Characters of a line in an error."""


def clean(text: str) -> str:
    """Return a text as it may be shown: without what moves the cursor, and without this process's secrets."""
    return hidden.redactor().ours(text)


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
    conceal(error, hidden.redactor())
    parts = (("where", error.where), ("so", error.consequence), ("fix", error.fix))
    lines = [f"error: {_hanging(error.what, 7)}"]
    lines += [f"    {name + ':':<6} {_hanging(text, 11)}" for name, text in parts if text]
    if error.detail and error.detail.strip():
        shown = "\n".join(shortened(line, LONGEST) for line in error.detail.strip("\n").split("\n"))
        lines += ["", textwrap.indent(shown, "    ")]
    return "\n".join(lines)


def _hanging(text: str, width: int) -> str:
    """Indent all lines of the text but the first."""
    return shortened(text.strip(), LONGEST).replace("\n", "\n" + " " * width)
