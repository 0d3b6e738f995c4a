"""`curtainup rehearse`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from curtainup.cli import common

if TYPE_CHECKING:
    from curtainup.session import Session

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
    endpoint: Annotated[
        bool,
        typer.Option(
            "--endpoint",
            help="Deploy nothing: serve the rehearsed AWS to the AWS command line and boto3 until Ctrl-C, "
            "and print the variables that lead to it.",
        ),
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

    session = common.session(
        service,
        config,
        quiet=quiet,
        with_secrets=not endpoint,
        rehearsal=True,
        faults=tuple(fault or ()),
    )
    if endpoint:
        _serve(session)
        return
    options = Options(dirty=dirty, python=python)
    result = runs.recorded(session, "rehearse", lambda recorder: deploy(session, recorder, options))
    if json:
        common.print_json(asdict(result))
    else:
        print(result.url)


def _serve(session: Session) -> None:
    from functools import partial

    from curtainup.rehearsal import by_hand

    by_hand.serve(session, partial(print, flush=True))
