"""`curtainup deploy`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from curtainup.cli import common

EXAMPLE = "Example: curtainup deploy examples/hello"


def run(
    service: common.Service = Path(),
    config: common.Config = None,
    dirty: Annotated[
        bool, typer.Option("--dirty", help="Deploy uncommitted changes of tracked files.")
    ] = False,
    python: common.Python = None,
    allow_replace: Annotated[
        bool,
        typer.Option("--allow-replace", help="Accept changes that interrupt traffic: a new port."),
    ] = False,
    json: common.Json = False,
    quiet: common.Quiet = False,
) -> None:
    """Take a service from source to live, through every gate.

    Prints the live URL. Stops at the first failure; live is untouched until the candidate is proven,
    and goes back to the release before if its own tests fail.
    """
    from dataclasses import asdict

    from curtainup import runs
    from curtainup.pipeline import Options, deploy

    session = common.session(service, config, quiet=quiet)
    options = Options(dirty=dirty, python=python, allow_replace=allow_replace)
    result = runs.recorded(session, "deploy", lambda recorder: deploy(session, recorder, options))
    if json:
        common.print_json(asdict(result))
    else:
        print(result.url)
