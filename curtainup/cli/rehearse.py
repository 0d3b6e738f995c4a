"""`curtainup rehearse`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from curtainup.cli import common

EXAMPLE = "Example: curtainup rehearse examples/hello --config cloud-run --fault crash"


def run(
    service: common.Service = Path(),
    config: common.Config = None,
    fault: Annotated[
        list[str] | None,
        typer.Option(
            "--fault",
            metavar="KIND[@ENV]",
            help="What goes wrong, in live or the environment named: slow-start, crash, quota, throttle, "
            "swap-fails, partial. Can be given again.",
        ),
    ] = None,
    dirty: Annotated[
        bool, typer.Option("--dirty", help="Deploy uncommitted changes of tracked files.")
    ] = False,
    python: common.Python = None,
    json: common.Json = False,
    quiet: common.Quiet = False,
) -> None:
    """Deploy to a cloud that is played on this machine: no account, the same pipeline.

    Stand-ins of Cloud Run and Elastic Beanstalk run real containers, keep state of their own, and refuse
    what the real ones would. `status`, `preview`, `rollback` and `destroy` take --rehearsal.
    """
    from dataclasses import asdict

    from curtainup import runs
    from curtainup.pipeline import Options, deploy

    session = common.session(service, config, quiet=quiet, rehearsal=True, faults=tuple(fault or ()))
    options = Options(dirty=dirty, python=python)
    result = runs.recorded(session, "rehearse", lambda recorder: deploy(session, recorder, options))
    if json:
        common.print_json(asdict(result))
    else:
        print(result.url)
