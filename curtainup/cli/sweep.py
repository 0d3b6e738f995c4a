"""`curtainup sweep`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from curtainup.cli.shared import common

if TYPE_CHECKING:
    from curtainup.commands.sweep import Swept
    from curtainup.session import Session

EXAMPLE = "Example: curtainup sweep examples/hello --older-than 3d --dry-run"


def run(
    service: common.Service = Path(),
    older_than: Annotated[
        str | None,
        typer.Option(
            "--older-than",
            metavar="AGE",
            help="Remove those last deployed longer ago than this, such as 12h or 3d.",
            show_default="the time to live of each, from review_ttl",
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Remove nothing; only list them.")] = False,
    yes: common.Yes = False,
    config: common.Config = None,
    rehearsal: common.Rehearsal = False,
    json: common.Json = False,
    quiet: common.Quiet = False,
) -> None:
    """Remove expired review environments, and nothing else.

    Lists all review environments first. In a terminal it then asks; elsewhere it removes them only with
    --yes. It leaves an environment that another run is using to the next sweep.
    """
    from dataclasses import asdict

    from curtainup.commands import sweep

    age = None if older_than is None else common.seconds(older_than, "--older-than")
    session = common.session(service, config, quiet=quiet, with_secrets=False, rehearsal=rehearsal)
    found = sweep.look(session, age)
    _list(session, found, json=json)
    if not dry_run and _is_agreed(session, found, yes=yes):
        found = sweep.remove(session, found, age)
    if json:
        common.print_json([{**asdict(one.standing), "outcome": one.outcome, "why": one.why} for one in found])
    sweep.require_swept(found)


def _list(session: Session, found: list[Swept], *, json: bool) -> None:
    """Print them before anything is removed; with --json that is progress, as the document comes last."""
    from curtainup.commands import sweep

    if json:
        for one in found:
            session.run.report.info(sweep.render([one], session.service.config.name))
    elif found:
        common.show(sweep.render(found, session.service.config.name), flush=True)


def _is_agreed(session: Session, found: list[Swept], *, yes: bool) -> bool:
    """Return whether to remove what has expired.

    Raises:
        RefusedError: there is such, and nobody can be asked, or the answer was no.

    """
    from curtainup.errors import RefusedError

    names = [one.standing.environment for one in found if one.outcome == "expired"]
    if not names or yes:
        return bool(names)
    if sys.stdin.isatty():
        common.require_agreed(
            f"Remove {', '.join(names)} of {session.service.config.name}?", session.service.config.name
        )
        return True
    raise RefusedError(
        f"removing {', '.join(names)} needs your confirmation, and there is no terminal to ask on",
        where=session.service.config.name,
        consequence="nothing was removed",
        fix="confirm with curtainup sweep --yes, or only list them with --dry-run",
    )
