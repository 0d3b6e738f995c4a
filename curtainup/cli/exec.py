"""`curtainup exec`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from curtainup.cli.shared import common, complete
from curtainup.cli.shared.words import WithWords, words_of

EXAMPLE = "Example: curtainup exec examples/hello --env live -- python -m app.shell"
KIND = WithWords


def run(
    context: typer.Context,
    service: common.Service = Path(),
    env: complete.Env = "live",
    process: Annotated[
        str,
        typer.Option(
            "--process",
            metavar="NAME",
            help="Run it as this process runs. NAME.2 is its second copy.",
            show_default="as the service itself",
            autocompletion=complete.processes,
        ),
    ] = "",
    attach: Annotated[
        bool,
        typer.Option("--attach", help="Run it in a container that runs already, not in a new one like it."),
    ] = False,
    config: common.Config = None,
    rehearsal: common.Rehearsal = False,
    quiet: common.Quiet = False,
) -> None:
    """Run a command in the release that serves.

    It runs in a new container of that release, with its variables and secrets, and with your terminal where
    there is one. Its exit code is the command's own; errors of curtainup's begin with `error:`. It waits for
    no deployment, and moves no traffic.
    """
    from curtainup.commands.exec import Wanted, execute

    words = words_of(context)
    session = common.session(service, config, quiet=quiet, with_secrets=False, rehearsal=rehearsal)
    common.end_with(session, execute(session, Wanted(words, env, attach, process)))
