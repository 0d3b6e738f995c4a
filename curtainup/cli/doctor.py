"""`curtainup doctor`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from curtainup.cli import common

if TYPE_CHECKING:
    from curtainup.model.checks import Check, Piece
    from curtainup.reporting import Report

EXAMPLE = "Example: curtainup doctor --fix"


def run(
    service: Annotated[
        Path | None,
        typer.Argument(
            help="The service's folder; curtainup checks its cloud account too.",
            show_default="the current folder, if it holds a service",
            file_okay=False,
        ),
    ] = None,
    config: common.Config = None,
    fix: Annotated[bool, typer.Option("--fix", help="Fix what curtainup can fix.")] = False,
    json: common.Json = False,
    quiet: common.Quiet = False,
) -> None:
    """Check everything that a deployment needs, and say how to fix it."""
    from dataclasses import asdict

    from curtainup.commands.doctor import machine

    report = common.report(quiet=quiet)
    more = _clouds(service, config, report)
    found = machine.run(fix, report.info, more)
    if json:
        common.print_json([asdict(check) for check in found])
    else:
        print(machine.render(found))
    _require_fine(found, more, fix=fix)


def _clouds(service: Path | None, overlay: str | None, report: Report) -> list[Piece]:
    """Return what to look at of the service's cloud accounts; nothing where there is no service."""
    from curtainup import config as configuration
    from curtainup.commands.doctor import accounts
    from curtainup.config.loader import config_file

    if service is None and overlay is None and not config_file(Path()).exists():
        return []
    return accounts.pieces(configuration.load(service or Path(), overlay, warn=report.warn))


def _require_fine(found: list[Check], more: list[Piece], *, fix: bool) -> None:
    from curtainup.commands.doctor import machine
    from curtainup.errors import SetupError

    broken = [check.name for check in found if not check.ok and check.detail != machine.NOT_LOOKED_AT]
    if broken:
        mendable = not fix and machine.can_mend(broken, more)
        raise SetupError(
            f"{', '.join(broken)}: not ready",
            consequence="deployments cannot run",
            fix="curtainup doctor --fix" if mendable else "see above",
        )
