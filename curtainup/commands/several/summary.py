"""What came of a command for several services: a line for each, and one exit code for all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from curtainup.errors import Interrupted

Outcome = Literal[
    "live",
    "unchanged",
    "held",
    "paused",
    "stopped",
    "failed",
    "returned",
    "interrupted",
    "skipped",
    "left out",
]
OUTCOMES = get_args(Outcome)
INTERRUPTED = Interrupted.exit_code


@dataclass(frozen=True)
class Line:
    """What came of one service.

    Attributes:
        service: its name.
        folder: its folder.
        outcome: as in the record of its run; `skipped` if one that it depends on failed or was skipped,
            `interrupted` also if it had not begun then, and `left out` if it has not changed.
        exit_code: of its run; None if there was none.
        seconds: how long its run took.
        url: where it answers; None if it does not.
        why: why it failed, was skipped or was left out.
        result: what `--json` prints for a service alone; None unless its run succeeded.
        error: `what`, `where`, `consequence` and `fix` of the error; None if there was none.

    """

    service: str
    folder: str
    outcome: Outcome
    exit_code: int | None = None
    seconds: float = 0.0
    url: str | None = None
    why: str | None = None
    result: dict[str, Any] | None = None
    error: dict[str, Any] | None = None


def exit_code(lines: Sequence[Line]) -> int:
    """Return one exit code for all: 130 if a service was interrupted, else that of the first that failed."""
    if any(one.outcome == "interrupted" for one in lines):
        return INTERRUPTED
    return next((one.exit_code for one in lines if one.exit_code), 0)


def render(lines: Sequence[Line]) -> str:
    """Return a line for each service, in the order of the deployment, and a last line that counts."""
    rows = [(one.service, _outcome(one), _took(one), one.url or one.why or "") for one in lines]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    text = ["  ".join((*map(str.ljust, row[:3], widths), row[3])).rstrip() for row in rows]
    return "\n".join([*text, counted(lines)])


def counted(lines: Sequence[Line]) -> str:
    """Return how many services had which outcome, such as `3 services: 1 live, 2 unchanged`."""
    found = [one.outcome for one in lines]
    told = [f"{found.count(one)} {one}" for one in OUTCOMES if one in found]
    return f"{len(lines)} service{'s' * (len(lines) != 1)}: {', '.join(told)}"


def _outcome(line: Line) -> str:
    return f"{line.outcome} ({line.exit_code})" if line.exit_code else line.outcome


def _took(line: Line) -> str:
    return f"{line.seconds:.1f} s" if line.exit_code is not None else "-"
