"""`curtainup unlock`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from curtainup.cli.shared import asked, common

if TYPE_CHECKING:
    from curtainup.commands.unlock import Found, Unlocked

EXAMPLE = "Example: curtainup unlock --if-gone --wait 3m"


def run(
    service: common.Service = Path(),
    yes: common.Yes = False,
    if_gone: Annotated[
        bool,
        typer.Option("--if-gone", help="Free it only if its run is proved to have ended, and never ask."),
    ] = False,
    wait: asked.Wait = None,
    config: common.Config = None,
    json: common.Json = False,
    quiet: common.Quiet = False,
) -> None:
    """Free the lock that a run has left in a shared state.

    It shows who holds the lock, and asks. It does not ask if the run is proved to have ended: it was on this
    machine, and its process is no more. It never frees the lock of a run that is at work on this machine.
    """
    from curtainup.commands import unlock as unlocking
    from curtainup.pipeline.run.shared.place import UNSIGNED

    if yes and if_gone:
        raise typer.BadParameter("give --yes or --if-gone, not both")
    seconds = asked.seconds_of(wait)
    session = common.session(service, config, quiet=quiet, with_secrets=False)
    found = unlocking.look(session, seconds)
    if found.state == "unknown" and not (yes or if_gone):
        who = found.held_by or UNSIGNED
        common.require_agreed(
            f"{who} holds the lock of {found.service}, and may be at work. Free it all the same?",
            found.service,
        )
    done = unlocking.unlock(session, found, only_gone=if_gone)
    if json:
        common.print_json(_data(done))
    else:
        common.show("\n".join(_told(done)))


def _told(done: Unlocked) -> list[str]:
    cancel = "an update holds it; if you know that it is dead: curtainup pulumi cancel --yes --stack"
    return [_lock_told(done.found), *(f"{one}: {cancel} {one}" for one in done.held_stacks)]


def _lock_told(found: Found) -> str:
    if found.where is None:
        return f"{found.service}: nobody else has its state, so there is no lock in it"
    if found.state == "free":
        return f"{found.service}: no run holds the lock"
    return f"{found.service}: freed the lock of {found.held_by or 'an unknown run'}"


def _data(done: Unlocked) -> dict[str, object]:
    from dataclasses import asdict

    return {**asdict(done.found), "freed": done.freed, "held_stacks": list(done.held_stacks)}
