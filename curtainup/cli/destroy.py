"""`curtainup destroy`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from curtainup.cli import common

EXAMPLE = "Example: curtainup destroy examples/hello --env staging"


def run(
    service: common.Service = Path(),
    env: Annotated[
        str | None,
        typer.Option("--env", help="One environment.", show_default="all, and the image and registry"),
    ] = None,
    confirm: Annotated[
        str | None,
        typer.Option("--confirm", metavar="NAME", help="The service's name, where live is to be destroyed."),
    ] = None,
    config: common.Config = None,
    rehearsal: common.Rehearsal = False,
    quiet: common.Quiet = False,
) -> None:
    """Remove environments, images and registry of a service; live asks for the service's name."""
    from curtainup import runs
    from curtainup.destroy import destroy, environments_of

    session = common.session(service, config, quiet=quiet, with_secrets=False, rehearsal=rehearsal)
    if "live" in environments_of(session, env) and confirm is None and sys.stdin.isatty():
        confirm = typer.prompt(f"This ends {session.config.name} on live. Type its name to go on", err=True)
    runs.recorded(session, "destroy", lambda recorder: destroy(session, recorder, env, confirm))
