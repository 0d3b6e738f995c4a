"""`curtainup status`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from curtainup.cli.shared import common

if TYPE_CHECKING:
    from curtainup.commands.status import ServiceStatus, Unreadable

EXAMPLE = "Example: curtainup status examples/* --json"


def run(
    services: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[SERVICE]...",
            help="The folders of one or more services.",
            show_default="the current folder",
            file_okay=False,
        ),
    ] = None,
    config: common.Config = None,
    json: common.Json = False,
    rehearsal: common.Rehearsal = False,
) -> None:
    """Show what runs on each environment, and whether it answers.

    For each release it shows the share of traffic, since when, and who gave it that share. If one service
    cannot be read, you still see the others; the error comes last and sets the exit code.
    """
    from functools import partial

    from curtainup.commands.status import Unreadable, statuses
    from curtainup.commands.status_text import render

    opening = {
        str(one): partial(common.session, one, config, with_secrets=False, rehearsal=rehearsal)
        for one in services or [Path()]
    }
    found = statuses(opening)
    unreadable = [one for one in found if isinstance(one, Unreadable)]
    if json:
        common.print_json([_data(one) for one in found])
    elif len(found) > len(unreadable):
        common.show(render(found))
    sys.stdout.flush()
    for one in unreadable[1:]:
        common.report().error(one.error)
    if unreadable:
        raise unreadable[0].error


def _data(found: ServiceStatus | Unreadable) -> dict[str, Any]:
    from dataclasses import asdict

    from curtainup.commands.status import Unreadable
    from curtainup.reporting.concealing import conceal
    from curtainup.util import hidden

    if not isinstance(found, Unreadable):
        return asdict(found)
    error = found.error
    conceal(error, hidden.redactor())
    told = {"what": error.what, "where": error.where, "fix": error.fix, "exit_code": error.exit_code}
    return {"service": found.service, "error": told}
