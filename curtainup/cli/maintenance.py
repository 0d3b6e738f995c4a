"""`curtainup maintenance`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from curtainup.cli.shared import asked, common, complete

EXAMPLE = 'Example: curtainup maintenance on examples/hello --message "Back at noon."'


class State(StrEnum):
    """What maintenance can be."""

    ON = "on"
    OFF = "off"


def run(
    state: Annotated[
        State, typer.Argument(metavar="on|off", help="Whether users get the page of maintenance.")
    ],
    service: common.Service = Path(),
    env: complete.Env = "live",
    message: Annotated[
        str | None,
        typer.Option(
            "--message",
            metavar="TEXT",
            help="With on: what curtainup's own page says.",
            show_default="the page of `maintenance_page`, or a general sentence",
        ),
    ] = None,
    config: common.Config = None,
    wait: asked.Wait = None,
    json: common.Json = False,
    quiet: common.Quiet = False,
) -> None:
    """Show users a page with status 503, or the service again.

    Requests under way end as usual. Gates and health checks go on to reach the service, so you can deploy
    meanwhile. This works on a Docker host.
    """
    from dataclasses import asdict

    from curtainup.commands.maintenance import switch
    from curtainup.pipeline.run import recorded as runs

    if message is not None and state is State.OFF:
        raise typer.BadParameter("--message goes with on")
    seconds = asked.seconds_of(wait)
    session = common.session(service, config, quiet=quiet, with_secrets=False)
    result = runs.recorded(
        session,
        "maintenance",
        lambda recorder: switch(session, recorder, env, on=state is State.ON, message=message),
        environment=env,
        wait=seconds,
    )
    if json:
        common.print_json(asdict(result))
    else:
        common.show(f"maintenance of {env} is {state.value}")
