"""`curtainup logs`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from curtainup.cli import common, complete

if TYPE_CHECKING:
    from curtainup.commands.logs import Line

EXAMPLE = "Example: curtainup logs examples/hello --env live --since 10m --follow"


def run(
    service: common.Service = Path(),
    env: Annotated[
        str, typer.Option("--env", help="The environment.", autocompletion=complete.environments)
    ] = "live",
    release: Annotated[
        str | None,
        typer.Option("--release", metavar="ID|VERSION", help="One release.", show_default="all of them"),
    ] = None,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on with lines as they are written, until Ctrl-C.")
    ] = False,
    since: Annotated[
        str | None, typer.Option("--since", metavar="TIME", help="Not older than 90s, 10m, 2h or 3d.")
    ] = None,
    tail: Annotated[
        int | None,
        typer.Option(
            "--tail", "-n", min=0, metavar="N", help="The last N lines.", show_default="100, or all --since"
        ),
    ] = None,
    config: common.Config = None,
    json: Annotated[bool, typer.Option("--json", help="Print a JSON object per line.")] = False,
    rehearsal: common.Rehearsal = False,
) -> None:
    """Show what the releases of an environment write, on every target; each line says which release it is of.

    Ctrl-C ends --follow, with exit code 0.
    """
    from curtainup.commands.logs import Wanted, logs

    seconds = _seconds(since)
    session = common.session(service, config, with_secrets=False, rehearsal=rehearsal)
    try:
        for line in logs(session, Wanted(env, release, seconds, tail, follow)):
            print(_json(line) if json else f"{_time(line)} {line.release} {line.text}", flush=follow)
    except KeyboardInterrupt:
        if not follow:
            raise


def _seconds(since: str | None) -> int | None:
    from curtainup.util import durations

    try:
        return None if since is None else durations.parse(since)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--since") from error


def _json(line: Line) -> str:
    import json

    return json.dumps({"at": _time(line), "release": line.release, "text": line.text}, ensure_ascii=False)


def _time(line: Line) -> str:
    from datetime import UTC

    return line.at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
