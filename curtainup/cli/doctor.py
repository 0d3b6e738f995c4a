"""`curtainup doctor`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from curtainup.cli.shared import common

if TYPE_CHECKING:
    from collections.abc import Sequence

    from curtainup.config import ServiceConfig
    from curtainup.model.checks import Check, Piece
    from curtainup.platforms.docker.hosts import Host
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
    read_only: Annotated[
        bool, typer.Option("--read-only", help="Leave out what a preview does not need: rights to deploy.")
    ] = False,
    cluster: Annotated[
        bool,
        typer.Option("--cluster", help="Check what curtainup's own Kubernetes cluster is made of, too."),
    ] = False,
    json: common.Json = False,
    quiet: common.Quiet = False,
) -> None:
    """Check everything that deployments need, and say how to fix it."""
    import os
    from dataclasses import asdict

    from curtainup.commands.doctor import machine
    from curtainup.platforms.docker import hosts

    report = common.report(quiet=quiet)
    more, of_service = _of_service(service, config, report)
    first, *others = of_service.docker_hosts if of_service else (None,)
    host = hosts.of(first, os.environ)
    if of_service and (others or of_service.build_on == "local"):
        more = [*_engines(host, others, of_service.build_on), *more]
    more = [piece for piece in more if not (read_only and piece.deploys)]
    if cluster:
        from curtainup.commands.doctor import cluster as of_cluster

        more += of_cluster.listed()
    found = machine.run(fix, report.info, more, host)
    if json:
        common.print_json([asdict(check) for check in found])
    else:
        common.show(machine.render(found))
    _require_fine(found, more, fix=fix)


def _engines(host: Host, others: Sequence[str | None], build_on: str) -> list[Piece]:
    """Return what to look at of the service's other Docker engines."""
    import os

    from curtainup.commands.doctor import engines
    from curtainup.platforms.docker import hosts

    own = hosts.own(os.environ)
    builder = engines.builder(own) if build_on == "local" and not host.is_here else []
    there = [piece for one in others for piece in engines.another(hosts.of(one, os.environ), own)]
    return [*builder, *there]


def _of_service(
    service: Path | None, overlay: str | None, report: Report
) -> tuple[list[Piece], ServiceConfig | None]:
    """Return what to look at of the service and its cloud accounts, and its configuration.

    There is nothing where there is no service.
    """
    from curtainup import config as configuration
    from curtainup.commands.doctor import accounts
    from curtainup.commands.doctor import service as of_service
    from curtainup.config.reading.loader import config_file

    if service is None and overlay is None and not config_file(Path()).exists():
        return [], None
    folder = service or Path()
    found = configuration.load(folder, overlay, warn=report.warn)
    return [*of_service.pieces(folder, found), *accounts.pieces(found)], found


def _require_fine(found: list[Check], more: list[Piece], *, fix: bool) -> None:
    from curtainup.commands.doctor import machine
    from curtainup.errors import SetupError

    broken = [check.name for check in found if not check.ok and check.detail != machine.NOT_LOOKED_AT]
    if broken:
        mendable = [] if fix else machine.can_mend(broken, more)
        raise SetupError(
            f"{', '.join(broken)}: not ready",
            consequence="deployments cannot run",
            fix=_advice(broken, mendable),
        )


def _advice(broken: list[str], mendable: list[str]) -> str:
    """Return what to do; `--fix` is named for what it can mend alone."""
    if not mendable:
        return "see above"
    if mendable == broken:
        return "curtainup doctor --fix"
    return f"curtainup doctor --fix for {', '.join(mendable)}; see above for the rest"
