"""`curtainup rollback`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from curtainup.cli.shared import asked, common

EXAMPLE = "Example: curtainup rollback 261121-1030-41-b3548e"


def run(
    service: common.Service = Path(),
    version: Annotated[
        str | None,
        typer.Argument(help="The version or id of a kept release.", show_default="the previous release"),
    ] = None,
    config: common.Config = None,
    env_file: common.EnvFile = None,
    python: common.Python = None,
    wait: asked.Wait = None,
    json: common.Json = False,
    rehearsal: common.Rehearsal = False,
    fault: common.Fault = None,
    quiet: common.Quiet = False,
) -> None:
    """Give live's traffic back to an earlier release.

    Builds nothing. Traffic goes back where it was if the probe or the gate fails. In the service's folder you
    can give the version alone.
    """
    from curtainup.commands.rollback import rollback
    from curtainup.pipeline.run import recorded as runs

    if version is None and not service.is_dir():
        service, version = Path(), str(service)
    seconds = asked.seconds_of(wait)
    session = common.session(
        service,
        config,
        quiet=quiet,
        rehearsal=rehearsal,
        env_file=env_file,
        faults=tuple(fault or ()),
    )
    result = runs.recorded(
        session, "rollback", lambda recorder: rollback(session, recorder, version, python), wait=seconds
    )
    asked.tell(result, json=json)
