"""What the accessories of an environment do right now."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from curtainup.environments.accessories import Accessories
from curtainup.errors import HostUnreachable, SetupError
from curtainup.model.process_state import ENDED, GONE, RESTARTING, RUNNING, STARTING, UNKNOWN
from curtainup.session import Session

NOT_MADE: Final = "not made"
_STATES: Final = {"running": RUNNING, "created": STARTING, "restarting": RESTARTING}


@dataclass(frozen=True)
class AccessoryState:
    """One accessory.

    Attributes:
        name: its name.
        image: what it was made from, or is to be.
        state: `running`, `starting`, `restarting`, `ended`, `gone`, `not made` or `unknown`.
        healthy: whether its `health` command succeeds; None if it has none, or does not run.
        volume: the volume that has its data; None without one.
        why: in words, how it ended or how `health` fails, or why nobody knows; empty if it is well.

    """

    name: str
    image: str
    state: str
    healthy: bool | None = None
    volume: str | None = None
    why: str = ""


def states(session: Session, environment: str, seconds: float) -> list[AccessoryState]:
    """Return what the accessories of an environment do: those that are there, and those that are to be made.

    Args:
        session: the command's.
        environment: its name.
        seconds: how long the `health` command of each may take; they run side by side.

    Raises:
        StateError: their stack cannot be read.

    """
    one = Accessories(session, environment)
    names = sorted({**one.wanted, **one.there})
    if not names:
        return []
    with ThreadPoolExecutor(len(names), thread_name_prefix="accessories") as pool:
        return list(pool.map(lambda name: _state(one, name, seconds), names))


def _state(one: Accessories, name: str, seconds: float) -> AccessoryState:
    known = one.there.get(name) or one.wanted[name]
    volume = one.container(name) if known.volume else None
    if name in one.missing:
        return AccessoryState(name, known.image, NOT_MADE, volume=volume)
    try:
        state, healthy, why = _does(one, name, seconds)
    except (HostUnreachable, SetupError) as error:
        state, healthy, why = UNKNOWN, None, error.what
    return AccessoryState(name, known.image, state, healthy, volume, why)


def _does(one: Accessories, name: str, seconds: float) -> tuple[str, bool | None, str]:
    """Return the state of what was made, whether it is healthy, and why it is not well."""
    found = one.inspected(name)
    if found is None:
        return GONE, None, ""
    state = _STATES.get(str(found["State"]["Status"]), ENDED)
    if state != RUNNING:
        return state, None, "" if state == STARTING else f"exit code {found['State']['ExitCode']}"
    why = one.unhealthy(name, seconds)
    return state, why is None if one.health(name) else None, why or ""
