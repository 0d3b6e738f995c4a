"""The options that several commands share, and the session that they open."""

from __future__ import annotations

import json
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

if TYPE_CHECKING:
    from curtainup.reporting import Report
    from curtainup.session import Session

Service = Annotated[
    Path,
    typer.Argument(help="The service's folder.", show_default="the current folder", file_okay=False),
]
Config = Annotated[
    str | None,
    typer.Option("--config", metavar="NAME", help="Read pym-config.NAME.yaml instead of pym-config.yaml."),
]
Python = Annotated[
    str | None, typer.Option("--python", metavar="PATH", help="Run the service's tests with this Python.")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Show only warnings and errors.")]
Rehearsal = Annotated[
    bool, typer.Option("--rehearsal", help="Use the rehearsal (`curtainup rehearse`), not the real cloud.")
]
Fault = Annotated[
    list[str] | None,
    typer.Option(
        "--fault",
        metavar="KIND[@ENV]",
        help="With --rehearsal: make this go wrong, as `curtainup rehearse` does. "
        "You can give it several times.",
    ),
]
EnvFile = Annotated[
    Path | None,
    typer.Option(
        "--env-file",
        metavar="FILE",
        help="Take secrets that are not set from this file of NAME=value lines.",
        dir_okay=False,
    ),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")]


def report(*, quiet: bool = False) -> Report:
    """Return the report that writes progress to standard error."""
    import os

    from curtainup.reporting import for_stream

    return for_stream(sys.stderr, quiet=quiet, environ=os.environ)


def session(
    service: Path,
    config: str | None,
    *,
    quiet: bool = False,
    with_secrets: bool = True,
    builds: bool = False,
    rehearsal: bool = False,
    faults: tuple[str, ...] = (),
    lasting: ExitStack | None = None,
    review: str | None = None,
    env_file: Path | None = None,
) -> Session:
    """Open the service in a folder, for real or for a rehearsal; see `session.open_session`."""
    from curtainup.cli.shared.opening import Rehearsing, open_session

    if faults and not rehearsal:
        raise typer.BadParameter("--fault needs --rehearsal: nothing goes wrong on purpose in the real cloud")
    rehearsing = Rehearsing(faults, lasting) if rehearsal else None
    return open_session(
        service,
        config,
        report(quiet=quiet),
        with_secrets=with_secrets,
        builds=builds,
        rehearsing=rehearsing,
        review=review,
        variables=env_file,
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
            "this needs your confirmation, and there is no terminal to ask on",
            where=question,
            consequence="nothing was done",
            fix="run it in a terminal, or confirm with an option: --help lists them",
        )


def print_json(value: Any) -> None:
    """Print a value as JSON on standard output."""
    from curtainup.util.plain import in_json

    print(in_json(json.dumps(value, indent=2, ensure_ascii=False)))


def show(text: str, *, flush: bool = False) -> None:
    """Print a text on standard output; what others have written in it moves no cursor."""
    from curtainup.util.plain import clean

    print(clean(text), flush=flush)


def seconds(text: str, option: str) -> int:
    """Return the seconds of a time that somebody gave to an option, such as `10m`."""
    from curtainup.util import durations

    try:
        return durations.parse(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint=option) from error


def end_with(session: Session, code: int) -> NoReturn:
    """End as the command did that was run for somebody."""
    if code:
        session.run.report.info(f"the command ended with exit code {code}")
    raise typer.Exit(code)
