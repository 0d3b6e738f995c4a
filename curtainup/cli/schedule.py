"""`curtainup schedule`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from curtainup.cli.shared import common, complete

if TYPE_CHECKING:
    from curtainup.commands.schedule import Checked

EXAMPLE = "Example: curtainup schedule run cleanup examples/hello --env staging"


class Action(StrEnum):
    """What is done."""

    RUN = "run"
    CHECK = "check"


ALL = "all"
"""What stands for all schedules where a folder follows."""


def run(
    action: Annotated[Action, typer.Argument(metavar="ACTION", help="run or check.")],
    name: Annotated[str, typer.Argument(metavar="NAME", help="The schedule's name; `all` for check.")] = ALL,
    service: common.Service = Path(),
    env: complete.Env = "live",
    within: Annotated[
        str,
        typer.Option("--within", metavar="TIME", help="check: how far back it looks, such as 10m, 2h or 1d."),
    ] = "1h",
    config: common.Config = None,
    json: common.Json = False,
    rehearsal: common.Rehearsal = False,
    quiet: common.Quiet = False,
) -> None:
    """Run a schedule now, or check how the last runs ended.

    run runs the schedule in the release that works, and shows its output; the exit code is its command's own.
    check prints the runs that failed or were missed, tells everyone named in `notify`, and then ends with
    exit code 37.
    """
    from curtainup.commands import schedule

    if action is Action.RUN and name == ALL:
        raise typer.BadParameter("run needs the name of a schedule", param_hint="NAME")
    seconds = common.seconds(within, "--within")
    session = common.session(service, config, quiet=quiet, with_secrets=False, rehearsal=rehearsal)
    wanted = schedule.Wanted(None if name == ALL else name, env)
    if action is Action.RUN:
        common.end_with(session, schedule.run_now(session, wanted))
    found = schedule.check(session, wanted, seconds)
    if json:
        common.print_json([_data(one) for one in found])
    else:
        for one in found:
            common.show(one.told)
    schedule.require_none(wanted, found, seconds)
    session.run.report.info(f"no run of {env} failed or was missed in the last {within}")


def _data(found: Checked) -> dict[str, Any]:
    from dataclasses import asdict

    from curtainup.commands.status_of_schedules import run_status

    return {"schedule": found.run.schedule, **asdict(run_status(found.run))}
