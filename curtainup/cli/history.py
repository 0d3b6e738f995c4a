"""`curtainup history`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from curtainup.cli.shared import common, complete

EXAMPLE = "Example: curtainup history examples/hello --env live"


def run(
    service: common.Service = Path(),
    config: common.Config = None,
    env: Annotated[
        str | None,
        typer.Option(
            "--env",
            help="Show only this environment.",
            show_default="all of them",
            autocompletion=complete.environments,
        ),
    ] = None,
    limit: Annotated[
        int, typer.Option("--limit", "-n", min=0, help="Show the newest N changes; 0 shows all.")
    ] = 20,
    json: common.Json = False,
    rehearsal: common.Rehearsal = False,
) -> None:
    """Show every change of releases and traffic, newest first.

    The changes come from Pulumi's own history.
    """
    from dataclasses import asdict

    from curtainup.commands.history import history, render

    session = common.session(service, config, with_secrets=False, rehearsal=rehearsal)
    found = history(session, env)[-limit:]
    if json:
        common.print_json([asdict(one) for one in reversed(found)])
    elif found:
        common.show(render(found))
