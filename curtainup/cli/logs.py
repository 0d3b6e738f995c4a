"""`curtainup logs`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from curtainup.cli.shared import common, complete

if TYPE_CHECKING:
    from curtainup.commands.logs import Line

EXAMPLE = "Example: curtainup logs examples/hello --env live --since 10m --follow"


def run(
    service: common.Service = Path(),
    env: complete.Env = "live",
    release: Annotated[
        str | None,
        typer.Option(
            "--release", metavar="ID|VERSION", help="Show only this release.", show_default="all of them"
        ),
    ] = None,
    process: Annotated[
        str,
        typer.Option(
            "--process",
            metavar="NAME",
            help="Show the lines of this process.",
            show_default="those of the service itself",
            autocompletion=complete.processes,
        ),
    ] = "",
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Keep printing new lines until Ctrl-C.")
    ] = False,
    since: Annotated[
        str | None,
        typer.Option(
            "--since", metavar="TIME", help="Show only lines newer than this, such as 90s, 10m, 2h or 3d."
        ),
    ] = None,
    tail: Annotated[
        int | None,
        typer.Option(
            "--tail",
            "-n",
            min=0,
            metavar="N",
            help="Show the last N lines.",
            show_default="100; all with --since",
        ),
    ] = None,
    config: common.Config = None,
    json: Annotated[bool, typer.Option("--json", help="Print each line as a JSON object.")] = False,
    rehearsal: common.Rehearsal = False,
) -> None:
    """Show the logs of an environment's releases.

    This works on every target. Each line names the release that wrote it. Ctrl-C ends --follow, with exit
    code 0.
    """
    from curtainup.commands.logs import Wanted, logs

    seconds = None if since is None else common.seconds(since, "--since")
    session = common.session(service, config, with_secrets=False, rehearsal=rehearsal)
    try:
        for line in logs(session, Wanted(env, release, seconds, tail, follow, process)):
            print(_json(line) if json else _text(line), flush=follow)
    except KeyboardInterrupt:
        if not follow:
            raise


def _json(line: Line) -> str:
    import json

    process = {"process": line.process} if line.process else {}
    told = {"at": _time(line), "release": line.release, **process, "text": line.text}
    return json.dumps(told, ensure_ascii=False)


def _text(line: Line) -> str:
    who = f"{line.release} {line.process}" if line.process else line.release
    return f"{_time(line)} {who} {line.text}"


def _time(line: Line) -> str:
    from datetime import UTC

    return line.at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
