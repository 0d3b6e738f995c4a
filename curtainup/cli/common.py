"""Options that several commands share, and what they open with them."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from curtainup.reporting import Report
    from curtainup.session import Session

Service = Annotated[
    Path,
    typer.Argument(help="The service's folder.", show_default="the current folder", file_okay=False),
]
Config = Annotated[
    str | None, typer.Option("--config", metavar="NAME", help="Read pym-config.NAME.yaml instead.")
]
Python = Annotated[
    str | None, typer.Option("--python", metavar="PATH", help="The interpreter for the service's tests.")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Show only warnings and errors.")]
Rehearsal = Annotated[
    bool, typer.Option("--rehearsal", help="Of the rehearsal (`curtainup rehearse`), not of the real clouds.")
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


def report(*, quiet: bool = False) -> Report:
    """Return where progress goes: standard error, as suits it."""
    import os

    from curtainup.reporting import for_stream

    return for_stream(sys.stderr, quiet=quiet, environ=os.environ)


def session(
    service: Path,
    config: str | None,
    *,
    quiet: bool = False,
    with_secrets: bool = True,
    rehearsal: bool = False,
    faults: tuple[str, ...] = (),
    review: str | None = None,
) -> Session:
    """Open the service in a folder, for real or for a rehearsal; see `session.open_session`."""
    from curtainup.cli.opening import Rehearsing, open_session

    rehearsing = Rehearsing(faults) if rehearsal else None
    return open_session(
        service,
        config,
        report(quiet=quiet),
        with_secrets=with_secrets,
        rehearsing=rehearsing,
        review=review,
    )


def agreed(question: str) -> bool:
    """Ask the person at the terminal; no is what Enter means.

    Raises:
        RefusedError: nobody is there to ask.

    """
    _require_somebody(question)
    return typer.confirm(question, default=False, err=True)


def require_agreed(removal: str, service: str) -> None:
    """Ask the person at the terminal whether something of a service is to be removed.

    Raises:
        RefusedError: the answer was no, or nobody is there to ask.

    """
    from curtainup.errors import RefusedError

    if not agreed(removal):
        raise RefusedError("the answer was no", where=service, consequence="nothing was removed")


def answer(question: str) -> str:
    """Return what the person at the terminal types.

    Raises:
        RefusedError: nobody is there to ask.

    """
    _require_somebody(question)
    return str(typer.prompt(question, err=True))


def _require_somebody(question: str) -> None:
    from curtainup.errors import RefusedError

    if not sys.stdin.isatty():
        raise RefusedError(
            "this has to be agreed to, and nobody is there to ask",
            where=question,
            consequence="nothing was done",
            fix="run it on a terminal, or say so with an option: --help lists them",
        )


def print_json(value: Any) -> None:
    """Print a value as JSON on standard output."""
    print(json.dumps(value, indent=2, ensure_ascii=False))
