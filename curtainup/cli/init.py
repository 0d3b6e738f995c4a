"""`curtainup init`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from curtainup.cli.shared import common
from curtainup.commands.init.models import Ci, StateKind, Target, Wishes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from curtainup.commands.init.models import Plan, PlannedFile

EXAMPLE = "Example: curtainup init --target gcp-cloud-run --project my-project --ci github"
MOST_LINES, FIRST_LINES = 400, 3
"""How long a file may be that a dry run prints, and how much it prints of a longer one."""
WORDS = {"new": "write", "same": "same", "differs": "leave", "kept": "keep"}


def run(
    folder: Annotated[
        Path,
        typer.Argument(
            help="The service's folder.", show_default="the current folder", file_okay=False, exists=True
        ),
    ] = Path(),
    target: Annotated[
        Target | None, typer.Option("--target", help="Where to deploy to.", show_default="docker")
    ] = None,
    ci: Annotated[
        Ci | None,
        typer.Option(
            "--ci", help="The CI system to write a workflow for.", show_default="that of the git remote"
        ),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(
            "--name", help="The service's name.", show_default="that of the project, else of the folder"
        ),
    ] = None,
    app: Annotated[
        str | None,
        typer.Option(
            "--app", metavar="MODULE:VARIABLE", help="Where the application is, if curtainup cannot find it."
        ),
    ] = None,
    branch: Annotated[
        str | None,
        typer.Option("--branch", help="The branch to deploy.", show_default="the remote's default"),
    ] = None,
    project: Annotated[str | None, typer.Option("--project", help="The Google Cloud project's id.")] = None,
    region: Annotated[
        str | None,
        typer.Option(
            "--region", help="The cloud's region.", show_default="europe-west1, or eu-west-1 on AWS"
        ),
    ] = None,
    reviews: Annotated[
        bool,
        typer.Option(
            "--review-environments",
            help="Give each pull request a review environment, in the workflow.",
        ),
    ] = False,
    state: Annotated[
        StateKind | None,
        typer.Option("--state", help="Where the team's state is to be; write how to make that place."),
    ] = None,
    docker_host: Annotated[
        str | None,
        typer.Option(
            "--docker-host",
            metavar="ssh://USER@HOST",
            help="The Docker host, which the workflow reaches by SSH.",
            show_default="the machine that jobs run on",
        ),
    ] = None,
    eject: Annotated[
        bool, typer.Option("--eject", help="Write only the Pulumi program, into infra/.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", "--yes", "-y", help="Overwrite existing files.")] = False,
    keep: Annotated[bool, typer.Option("--keep", help="Keep existing files.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Write nothing; print what curtainup would write.")
    ] = False,
    json: common.Json = False,
    quiet: common.Quiet = False,
) -> None:
    """Write the files that a service needs to be deployed.

    These are its configuration, a Dockerfile, an acceptance test and a CI workflow. curtainup finds Flask,
    FastAPI and Django among the service's dependencies; any other service needs a Dockerfile. Existing files
    are overwritten only if you agree; without a terminal the command refuses, with exit code 23.

    With --eject it writes the Pulumi program that curtainup runs for the service, for you to own and change.
    """
    if force and keep:
        raise typer.BadParameter("give --force or --keep, not both")
    host = None if docker_host is None else _address(docker_host)
    wishes = Wishes(target, ci, name, app, branch, project, region, reviews, state, host)
    if eject:
        if keep or wishes != Wishes():
            raise typer.BadParameter("--eject takes no options but --force, --dry-run, --json and --quiet")
        _eject(folder, force=force, dry_run=dry_run, json=json, quiet=quiet)
        return
    from curtainup.commands.init import detect, plan, write

    found = plan.plan(detect.detect(folder, wishes, warn=common.report(quiet=quiet).warn), wishes)
    decided = force or keep or dry_run or sys.stdin.isatty()
    if not decided and (differing := write.conflicts(found.files)):
        raise write.refused(differing)
    written = [] if dry_run else write.write(found, lambda file: force or (not keep and _confirmed(file)))
    if json:
        common.print_json(_data(found, written))
    else:
        _print(found, written, dry_run=dry_run, quiet=quiet)


def _address(docker_host: str) -> str:
    """Return the address of the Docker host in its shortest spelling.

    Raises:
        typer.BadParameter: it is none.

    """
    from curtainup.util import ssh_address

    try:
        return ssh_address.normal(docker_host)
    except ValueError as error:
        raise typer.BadParameter(f"--docker-host: {error}") from error


def _eject(folder: Path, *, force: bool, dry_run: bool, json: bool, quiet: bool) -> None:
    """Write the program as a whole, or not at all."""
    from curtainup import config
    from curtainup.commands.init import eject, write

    service = config.load(folder, warn=common.report(quiet=quiet).warn)
    files = eject.plan(folder, service)
    differing = write.conflicts(files)
    if differing and not (force or dry_run or (sys.stdin.isatty() and _all_confirmed(differing))):
        raise write.refused(differing, eject.FIX)
    written = [] if dry_run else eject.write(folder, files)
    if json:
        common.print_json({"service": service.name, "files": _files(files, written), "todo": eject.TODO})
        return
    for file in files:
        _print_file(file, written)
        if dry_run and file.state == "differs":
            common.show(eject.difference(file))
    _print_todo(eject.TODO, quiet=quiet)


def _all_confirmed(files: Sequence[PlannedFile]) -> bool:
    names = ", ".join(file.shown for file in files)
    return common.agreed(f"These files already exist, with different contents: {names}. Overwrite them?")


def _confirmed(file: PlannedFile) -> bool:
    return common.agreed(f"{file.shown} already exists, with different contents. Overwrite it?")


def _data(plan: Plan, written: list[PlannedFile]) -> dict[str, object]:
    return {
        "service": plan.service,
        "framework": plan.framework,
        "targets": list(plan.targets),
        "ci": plan.ci.value,
        "files": _files(plan.files, written),
        "todo": list(plan.todo),
    }


def _files(files: Sequence[PlannedFile], written: Sequence[PlannedFile]) -> list[dict[str, object]]:
    return [
        {"path": file.shown, "state": file.state, "written": file in written, "text": file.text}
        for file in files
    ]


def _print(plan: Plan, written: list[PlannedFile], *, dry_run: bool, quiet: bool) -> None:
    """List the files, with their texts in a dry run; what to do next goes to standard error."""
    for file in plan.files:
        _print_file(file, written)
        if dry_run and file.text:
            print("".join(f"    | {line}".rstrip() + "\n" for line in _shown(file.text)), end="")
    _print_todo(plan.todo, quiet=quiet)


def _shown(text: str) -> list[str]:
    """Return the lines of a file, without those of which nobody reads so many."""
    lines = text.splitlines()
    if len(lines) <= MOST_LINES:
        return lines
    return [*lines[:FIRST_LINES], f"… {len(lines) - FIRST_LINES:,} more lines"]


def _print_file(file: PlannedFile, written: Sequence[PlannedFile]) -> None:
    print(f"{'write' if file in written else WORDS[file.state]:6} {file.shown}")


def _print_todo(todo: Sequence[str], *, quiet: bool) -> None:
    if quiet:
        return
    print("next:", file=sys.stderr)
    for number, step in enumerate(todo, 1):
        print(f"  {number}. {step}", file=sys.stderr)
