"""`curtainup setup-host`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from curtainup.cli.shared import common

if TYPE_CHECKING:
    from curtainup.commands.setup_host.facts import Facts
    from curtainup.commands.setup_host.plan import Plan
    from curtainup.reporting import Report
    from curtainup.util.ssh_address import Address

EXAMPLE = "Example: curtainup setup-host ssh://root@shop.example.com --user deploy"


def run(
    host: Annotated[
        str | None,
        typer.Argument(
            help="The host, as ssh://USER@HOST:PORT. The user is root, or may use sudo without a password.",
            show_default="the Docker host of the service in the current folder",
        ),
    ] = None,
    user: Annotated[
        str | None,
        typer.Option(
            "--user",
            metavar="NAME",
            help="Who is to deploy there; curtainup makes the user if there is none.",
            show_default="the user who logs in",
        ),
    ] = None,
    upgrades: Annotated[
        bool, typer.Option("--upgrades", help="Have the host install security updates by itself.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Change nothing; only show what curtainup would do.")
    ] = False,
    yes: common.Yes = False,
    config: common.Config = None,
    json: common.Json = False,
    quiet: common.Quiet = False,
) -> None:
    """Make a bare Debian or Ubuntu machine a Docker host, over SSH.

    It looks at the machine, shows what it will do, and asks. It installs Docker, has it start whenever the
    host does, and lets a user use it. What is there already, it leaves alone.
    """
    import os
    from contextlib import closing

    from curtainup.commands.setup_host import carry, facts, plan, proof
    from curtainup.errors import RefusedError
    from curtainup.platforms.ssh.connection import Connection

    report = common.report(quiet=quiet)
    address = _address(host, config, report)
    _require_name(user)
    with closing(Connection(address, os.environ)) as connection:
        found = facts.look(connection, user)
        planned = plan.plan(found, upgrades=upgrades)
        if planned.missing and not dry_run:
            facts.require_rights(found, str(address))
            told = _told(address, found, planned)
            if yes:
                report.info(told)
            elif not common.agreed(f"{told}\nDo it?"):
                raise RefusedError("the answer was no", where=str(address), consequence="nothing was changed")
            carry.carry(connection, planned.missing, report, sudo=found.rights == "sudo")
    deployer = proof.deployer(address, user)
    version = None if dry_run else proof.engine(deployer)
    if json:
        common.print_json(_data(deployer, found, planned, version, done=not dry_run))
    else:
        common.show("\n".join(_lines(deployer, planned, version)))
        for hint in planned.hints:
            report.info(f"note: {hint}")


def _address(host: str | None, config: str | None, report: Report) -> Address:
    """Return the host that was named, or that of the service in the current folder.

    Raises:
        typer.BadParameter: none was named, or it cannot be read.

    """
    import os
    from pathlib import Path

    from curtainup import config as configuration
    from curtainup.config.reading.loader import config_file
    from curtainup.platforms.docker import hosts
    from curtainup.util import ssh_address

    if host is not None:
        try:
            return ssh_address.parse(host if "://" in host else f"{ssh_address.SCHEME}{host}")
        except ValueError as error:
            raise typer.BadParameter(str(error)) from error
    is_service = config is not None or config_file(Path()).exists()
    configured = configuration.load(Path(), config, warn=report.warn).docker_hosts if is_service else (None,)
    found = [one for name in configured if isinstance(one := hosts.of(name, os.environ), hosts.There)]
    if len(found) != 1:
        named = " or ".join(map(str, found)) or "ssh://USER@HOST"
        raise typer.BadParameter(f"name the host: curtainup setup-host {named}")
    return found[0].address


def _require_name(user: str | None) -> None:
    import re

    if user is not None and not re.fullmatch(r"[a-z_][a-z0-9_-]{0,31}", user):
        raise typer.BadParameter(f"--user: {user!r} is no name of a user")


def _told(address: Address, found: Facts, planned: Plan) -> str:
    """Return what will be done, for people."""
    rights = f"as {found.login}, with sudo" if found.rights == "sudo" else f"as {found.login}"
    steps = [f"  {number}. {step.title}" for number, step in enumerate(planned.missing, 1)]
    return "\n".join([f"On {address.host} ({found.system}) curtainup will, {rights}:", *steps])


def _lines(deployer: Address, planned: Plan, version: str | None) -> list[str]:
    """Return the result: each thing that the host needs, and whether the engine answers."""
    state = "to do" if version is None else "done"
    steps = [f"{'there' if step.is_there else state:5}  {step.title}" for step in planned.steps]
    if version is None:
        return steps
    return [*steps, f"Docker {version} answers. In pym-config.yaml: docker_host: {deployer}"]


def _data(
    deployer: Address, found: Facts, planned: Plan, version: str | None, *, done: bool
) -> dict[str, object]:
    return {
        "docker_host": str(deployer),
        "system": found.system,
        "steps": [
            {
                "name": step.name,
                "title": step.title,
                "was_there": step.is_there,
                "done": step.is_there or done,
            }
            for step in planned.steps
        ],
        "docker": version,
        "hints": list(planned.hints),
    }
