"""`accessory`: what is done to an accessory of an environment, which no deployment does."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from curtainup.environments.accessories import Accessories
from curtainup.errors import AccessoryFailed, RefusedError
from curtainup.pipeline.run.record import Recorder
from curtainup.pipeline.run.steps import Progress, Steps
from curtainup.platforms.docker import errors
from curtainup.session import Session
from curtainup.targets.command import Asked
from curtainup.targets.docker import commands
from curtainup.util.chunks import split
from curtainup.util.terminal import Terminal

TAIL = 100
"""Lines of a log that are shown when nothing says how many."""


@dataclass(frozen=True)
class Status:
    """One accessory.

    Attributes:
        environment: the environment that it is beside.
        name: its name.
        image: what it was made from, or is to be.
        container: its container.
        volume: its volume; None without one.
        trouble: what is wrong with it, in words; None if it is well.
        changed: the keys that are configured otherwise than it was made.

    """

    environment: str
    name: str
    image: str
    container: str
    volume: str | None
    trouble: str | None
    changed: tuple[str, ...] = ()


def found(session: Session, env: str) -> list[Status]:
    """Return the accessories of an environment: those that are there, and those that are to be made."""
    one = Accessories(session, env)
    changed = one.changed()
    known = {**one.wanted, **one.there}
    return [
        Status(
            env,
            name,
            known[name].image,
            one.container(name),
            one.container(name) if known[name].volume else None,
            "it was never made" if name in one.missing else one.trouble(name),
            tuple(changed.get(name, ())),
        )
        for name in sorted(known)
    ]


def render(found: list[Status], env: str) -> str:
    """Return a line for each accessory."""
    lines = [f"{one.environment} {one.name}  {one.image}  {_said(one)}" for one in found]
    return "\n".join(lines) or f"{env} has no accessories"


def _said(one: Status) -> str:
    said = "well" if one.trouble is None else one.trouble
    changed = f"; another {' and '.join(one.changed)} in pym-config.yaml" if one.changed else ""
    return f"{said}{changed}"


def up(session: Session, recorder: Recorder, env: str, name: str | None, *, allow_replace: bool) -> None:
    """Make what is missing, start what is down, and replace what is configured otherwise if that is allowed.

    Args:
        session: the command's.
        recorder: of the run.
        env: the environment.
        name: of the accessory; None is all of them.
        allow_replace: whether containers may be replaced; volumes stay in any case.

    Raises:
        RefusedError: a container would have to be replaced, which is not allowed.
        AccessoryFailed: one does not become well.

    """
    one = _known(session, env, name, configured=True)
    names = [name] if name else sorted(one.config.accessories)
    changed = {key: keys for key, keys in one.changed().items() if key in names}
    if changed and not allow_replace:
        raise _needs_replacement(one, changed)
    _require_same_volume(one, changed)
    one.require_ready(well=False)
    steps = Steps(session.run.report, recorder, session.run.cancelled)

    def work(progress: Progress) -> None:
        settings = one.to_make([*(key for key in names if key in one.missing), *changed])
        one.apply(settings, progress.say, anew=tuple(changed))
        for every in names:
            one.start(every)
            one.require_well(every)
        replaced = f"; replaced: {', '.join(changed)}" if changed else ""
        progress.note = f"{', '.join(names)} well{replaced}"

    steps.run(f"{env}-accessories", f"bring up {' and '.join(names)} of {env}", work)


def restart(session: Session, recorder: Recorder, env: str, name: str) -> None:
    """Restart an accessory's container, and wait until it is well.

    Raises:
        AccessoryFailed: it does not become well.

    """
    one = _known(session, env, name)
    steps = Steps(session.run.report, recorder, session.run.cancelled)

    def work(progress: Progress) -> None:
        one.restart(name)
        progress.note = f"{name} is well after {one.require_well(name):.1f} s"

    steps.run(f"{env}-accessories", f"restart {name} of {env}", work)


def remove(session: Session, recorder: Recorder, env: str, name: str, confirm: str | None) -> None:
    """Remove an accessory with its data.

    Raises:
        RefusedError: `confirm` is not its name.

    """
    one = _known(session, env, name)
    if confirm != name:
        raise RefusedError(
            f"{name} of {env} is to be removed with its data, which was not confirmed",
            where=f"container and volume {one.container(name)}",
            consequence="nothing was removed",
            fix=f"curtainup accessory remove {name} --env {env} --confirm {name}",
        )
    steps = Steps(session.run.report, recorder, session.run.cancelled)
    title = f"remove {name} of {env}, with its data"
    steps.run(f"{env}-accessories", title, lambda progress: one.remove(name, progress.say))


def logs(session: Session, env: str, name: str, tail: int | None, *, follow: bool) -> Iterator[str]:
    """Give the lines that an accessory wrote, the secrets that are at hand taken out.

    Raises:
        SetupError: its log cannot be read.

    """
    one = _known(session, env, name)
    client, container = session.at(env).accounts.docker, one.container(name)
    with errors.translated(
        "the accessory's log cannot be read",
        where=f"container {container}",
        consequence="nothing was changed",
    ):
        kept = client.containers.get(container).logs(
            stream=True, follow=follow, tail=TAIL if tail is None else tail
        )
        yield from map(session.service.redact, split(kept))


def execute(session: Session, env: str, name: str, words: tuple[str, ...]) -> int:
    """Run a command in an accessory's container, with the terminal or the files of this process.

    Returns:
        Its exit code.

    """
    one = _known(session, env, name)
    _require_running(one, name)
    asked = Asked(words, attach=True, say=session.run.report.info)
    return commands.run_inside(session.at(env).accounts.docker, one.container(name), asked)


def backup(session: Session, env: str, name: str) -> None:
    """Write the backup of an accessory to standard output.

    Raises:
        RefusedError: it has no `backup`.
        AccessoryFailed: the command failed; what it wrote is no backup.

    """
    one = _known(session, env, name)
    wanted = one.config.accessories.get(name)
    if wanted is None or wanted.backup is None:
        raise RefusedError(
            f"{name} has no backup command",
            where=f"accessories.{name} in pym-config.yaml",
            consequence="nothing was written",
            fix="add e.g. `backup: pg_dump -U postgres app`",
        )
    _require_running(one, name)
    client, container = session.at(env).accounts.docker, one.container(name)
    with _no_input() as terminal:
        asked = Asked(("/bin/sh", "-c", wanted.backup), attach=True, terminal=terminal)
        code = commands.run_inside(client, container, asked)
    if code:
        raise AccessoryFailed(
            f"the backup of {name} failed with exit code {code}",
            where=f"container {container}: {wanted.backup}",
            consequence="what was written is no whole backup",
            fix=f"see what it says above; curtainup accessory logs {name} --env {env}",
        )


@contextmanager
def _no_input() -> Iterator[Terminal]:
    nothing = os.open(os.devnull, os.O_RDONLY)
    try:
        yield Terminal(stdin=nothing)
    finally:
        os.close(nothing)


def _known(session: Session, env: str, name: str | None, *, configured: bool = False) -> Accessories:
    """Return the accessories of an environment, among which there is one of that name.

    Raises:
        RefusedError: there is none.

    """
    one = Accessories(session, env)
    names = sorted({*one.config.accessories, *(() if configured else one.there)})
    if (name is None and names) or name in names:
        return one
    raise RefusedError(
        f"{env} has no accessory {name}" if name else f"{env} has no accessories",
        where="accessories in pym-config.yaml",
        consequence="nothing was done",
        fix=f"name one of {', '.join(names)}" if names else "add one: docs/accessories.md says how",
    )


def _require_running(one: Accessories, name: str) -> None:
    if not one.is_running(name):
        raise AccessoryFailed(
            f"{name} of {one.environment} does not run",
            where=f"container {one.container(name)}",
            consequence="the command did not start",
            fix=f"curtainup accessory up {name} --env {one.environment}",
        )


def _needs_replacement(one: Accessories, changed: dict[str, list[str]]) -> RefusedError:
    told = "; ".join(f"{name}: another {' and '.join(keys)}" for name, keys in changed.items())
    names = " ".join(changed) if len(changed) == 1 else ""
    command = f"curtainup accessory up {names}".rstrip()
    return RefusedError(
        f"{' and '.join(changed)} of {one.environment} would be replaced: {told}",
        where="accessories in pym-config.yaml",
        consequence="nothing was changed",
        fix=f"{command} --env {one.environment} --allow-replace; the volume stays, and nobody reaches the "
        "accessory meanwhile",
    )


def _require_same_volume(one: Accessories, changed: dict[str, list[str]]) -> None:
    """Refuse to take the volume from an accessory, whose data would be lost by that."""
    for name, keys in changed.items():
        if "volume" in keys and not one.wanted[name].volume:
            raise RefusedError(
                f"{name} of {one.environment} would lose its volume",
                where=f"accessories.{name}.volume in pym-config.yaml",
                consequence="its data would be removed, so nothing was changed",
                fix="put the path back, or remove the accessory with its data: curtainup accessory remove",
            )
