"""`curtainup preview`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from curtainup.cli import common

EXAMPLE = "Example: curtainup preview examples/hello"


def run(
    service: common.Service = Path(),
    config: common.Config = None,
    dirty: Annotated[
        bool, typer.Option("--dirty", help="Preview uncommitted changes of tracked files.")
    ] = False,
    json: common.Json = False,
    rehearsal: common.Rehearsal = False,
) -> None:
    """Show what the next deployment would change in each stack; nothing is changed.

    Exit code 0: nothing; 2: changes.
    """
    from dataclasses import asdict

    from curtainup.preview import preview, render

    found = preview(common.session(service, config, quiet=json, rehearsal=rehearsal), dirty=dirty)
    if json:
        common.print_json([asdict(one) for one in found])
    else:
        print(render(found))
    if any(one.changed for one in found):
        raise typer.Exit(2)
