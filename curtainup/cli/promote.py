"""`curtainup promote`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from curtainup.cli.shared import asked, common

EXAMPLE = "Example: curtainup promote --canary 10,50 --every 5m"


def run(
    service: common.Service = Path(),
    config: common.Config = None,
    env_file: common.EnvFile = None,
    discard: Annotated[
        bool,
        typer.Option("--discard", help="Remove the candidate instead; live's traffic stays where it is."),
    ] = False,
    python: common.Python = None,
    canary: asked.CanarySteps = None,
    every: asked.Every = None,
    watch: asked.Watch = None,
    during_freeze: asked.DuringFreeze = None,
    no_metrics: asked.NoMetrics = False,
    wait: asked.Wait = None,
    json: common.Json = False,
    rehearsal: common.Rehearsal = False,
    fault: common.Fault = None,
    quiet: common.Quiet = False,
) -> None:
    """Give live's traffic to the candidate that `deploy --hold` left.

    A canary that is paused goes on with its next step. Traffic goes back if the probe or the gate fails, as
    in a deployment.
    """
    from dataclasses import asdict

    from curtainup.commands.promote import discard as drop
    from curtainup.commands.promote import promote
    from curtainup.pipeline.run import recorded as runs

    reason = asked.reason_of(during_freeze)
    chosen, seconds = asked.canary_of(canary, every, watch), asked.seconds_of(wait)
    session = common.session(
        service,
        config,
        quiet=quiet,
        rehearsal=rehearsal,
        env_file=env_file,
        faults=tuple(fault or ()),
    )
    if discard:
        gone = runs.recorded(session, "discard", lambda recorder: drop(session, recorder), wait=seconds)
        if json:
            common.print_json(asdict(gone))
        return
    result = runs.recorded(
        session,
        "promote",
        lambda recorder: promote(session, recorder, python, chosen, reason, metrics=not no_metrics),
        wait=seconds,
    )
    asked.tell(result, json=json)
