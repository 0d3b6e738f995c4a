"""Deploying several services: each in a process of its own, with its name before each of its lines."""

from __future__ import annotations

import json as as_json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from curtainup.cli.shared import common, failing

if TYPE_CHECKING:
    from curtainup.commands.several.members import Member
    from curtainup.commands.several.summary import Line
    from curtainup.errors import CurtainupError
    from curtainup.pipeline.options import Options
    from curtainup.util.crew import Ended

Services = Annotated[
    list[Path] | None,
    typer.Argument(
        metavar="[SERVICE]...",
        help="The folder of the service, or of several services.",
        show_default="the current folder",
    ),
]
ChangedSince = Annotated[
    str | None,
    typer.Option(
        "--changed-since",
        metavar="REF",
        help="Deploy only the services whose build or settings have changed since this commit.",
    ),
]
Jobs = Annotated[
    int | None,
    typer.Option(
        "--jobs",
        "-j",
        metavar="N",
        min=1,
        help="Deploy at most N services at once.",
        show_default="the number of processors",
    ),
]


def alone(services: Sequence[Path] | None, changed_since: str | None, jobs: int | None) -> Path | None:
    """Return the folder of the one service that is asked for; None if several may be.

    Raises:
        typer.BadParameter: it is a file.

    """
    folders = services or [Path()]
    if len(folders) > 1 or changed_since is not None or jobs is not None:
        return None
    if folders[0].is_file():
        raise typer.BadParameter(f"'{folders[0]}' is a file: give the folder of the service")
    return folders[0]


def require_for_all(options: Options) -> None:
    """Check that nothing was asked for that is of one service.

    Raises:
        typer.BadParameter: something was.

    """
    if options.image is not None or options.plan is not None:
        raise typer.BadParameter("--image and --plan are for one service: deploy it alone")


def deploy(
    services: Sequence[Path] | None,
    config: str | None,
    work: Callable[[Path], object],
    *,
    changed_since: str | None,
    jobs: int | None,
    dirty: bool,
    json: bool,
    quiet: bool,
) -> None:
    """Deploy services, print what came of each, and end with one exit code for all.

    Args:
        services: the folders.
        config: as `--config`.
        work: deploys the service in a folder, in its own process, and returns the result.
        changed_since: the commit to compare with; None takes all services.
        jobs: how many to deploy at once; None is the number of processors.
        dirty: whether uncommitted changes count.
        json: whether to print data.
        quiet: whether to show only warnings and errors.

    Raises:
        ConfigError: the folders hold no services, or their `depends_on` give no order.
        SourceError: there is no such commit.

    """
    from curtainup.commands.several import changed, members, order, summary, warm
    from curtainup.util.crew import Crew, Piece

    report = common.report(quiet=quiet)
    found = order.ordered(members.read(services or [Path()], config, report.info))
    wanted = found if changed_since is None else changed.since(found, changed_since, dirty=dirty)
    names = {one.name for one in wanted}
    warm.up()
    pieces = [
        Piece(one.name, _piece(one, work), tuple(name for name in one.depends_on if name in names))
        for one in wanted
    ]
    width = max((len(name) for name in names), default=0)
    most = jobs or len(os.sched_getaffinity(0))
    ended = {one.name: one for one in Crew(pieces, most, _printer(width)).run()}
    lines = [_line(one, ended.get(one.name), changed_since) for one in found]
    if json:
        common.print_json([vars(one) for one in lines])
    else:
        common.show(summary.render(lines), flush=True)
    if code := summary.exit_code(lines):
        raise typer.Exit(code)


def _printer(width: int) -> Callable[[str, str], None]:
    def tell(name: str, line: str) -> None:
        print(f"{name.ljust(width)} | {line}", file=sys.stderr, flush=True)

    return tell


def _piece(member: Member, work: Callable[[Path], object]) -> Callable[[], int]:
    def deploying() -> int:
        sys.argv = [sys.argv[0], "deploy", str(member.folder)]
        return failing.told(lambda: _print(work(member.folder)), _print_error)

    return deploying


def _print(result: object) -> None:
    from dataclasses import asdict, is_dataclass

    from curtainup.pipeline.run import outcomes

    data = asdict(result) if is_dataclass(result) and not isinstance(result, type) else None
    common.print_json({"outcome": outcomes.of_result(result), "result": data})


def _print_error(error: CurtainupError) -> None:
    from curtainup.pipeline.run import outcomes

    told = {name: getattr(error, name) for name in ("what", "where", "consequence", "fix")}
    common.print_json({"outcome": outcomes.of_error(error), "error": told})


def _line(member: Member, ended: Ended | None, since: str | None) -> Line:
    """Return what came of a service."""
    from curtainup.commands.several.summary import INTERRUPTED, Line

    name, folder = member.name, str(member.folder)
    if ended is None:
        return Line(name, folder, "left out", why=f"unchanged since {since}")
    if ended.code is None:
        if not ended.because:
            return Line(name, folder, "interrupted", why="it had not begun")
        return Line(name, folder, "skipped", why=f"{ended.because} failed")
    told = _told(ended)
    if ended.code:
        error = told.get("error") or {}
        code = ended.code if ended.code > 0 else 1
        outcome: Any = told.get("outcome") or ("interrupted" if code == INTERRUPTED else "failed")
        why = error.get("what") or f"its process ended with {ended.code}"
        return Line(name, folder, outcome, code, ended.seconds, why=why, error=error or None)
    result = told.get("result") or {}
    return Line(
        name, folder, told["outcome"], 0, ended.seconds, url=result.get("url") or None, result=result or None
    )


def _told(ended: Ended) -> dict[str, Any]:
    """Return what the process of a service has printed; one that was killed has printed nothing whole."""
    try:
        return dict(as_json.loads(ended.out))
    except ValueError:
        return {}
