"""What the containers of an environment's accessories do right now.

Whoever asks this only looks. No command runs in an accessory's container: one that hangs would stay there
after the look, and a database that is unwell would get one more with each. Nothing is compared with how an
accessory was made: that takes the key of the secrets' HMACs, for which a Pulumi engine may have to start.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from curtainup.environments.accessories import Accessories
from curtainup.errors import CurtainupError
from curtainup.model.accessories import Accessory
from curtainup.model.process_state import ENDED, GONE, OF_CONTAINERS, RESTARTING, UNKNOWN
from curtainup.session import Session

NOT_MADE: Final = "not made"


@dataclass(frozen=True)
class AccessoryState:
    """One accessory.

    Attributes:
        name: its name; that of the stack if nobody can tell which accessories are in it.
        image: what it was made from, or is to be; empty if nobody can tell.
        state: `running`, `starting`, `restarting`, `ended`, `gone`, `not made` or `unknown`.
        volume: the volume that has its data; None without one.
        why: in words, how it ended, or why nobody knows what it does; empty otherwise.

    """

    name: str
    image: str
    state: str
    volume: str | None = None
    why: str = ""


def states(session: Session, environment: str) -> list[AccessoryState]:
    """Return what the accessories of an environment do: those that are there, and those that are to be made.

    What cannot be found out is `unknown`, with the reason.

    Args:
        session: the command's.
        environment: its name.

    """
    one = Accessories(session, environment)
    try:
        there = one.there
    except CurtainupError as error:
        return _unknown(one, error)
    names = sorted({*one.config.accessories, *there})
    if not names:
        return []
    with ThreadPoolExecutor(len(names), thread_name_prefix="accessories") as pool:
        return list(pool.map(lambda name: _state(one, there, name), names))


def _unknown(one: Accessories, error: CurtainupError) -> list[AccessoryState]:
    """Return those that are configured, as nobody can tell which were made."""
    found = [
        AccessoryState(name, known.image, UNKNOWN, one.container(name) if known.volume else None, error.what)
        for name, known in sorted(one.config.accessories.items())
    ]
    return found or [AccessoryState(one.stack, "", UNKNOWN, why=error.what)]


def _state(one: Accessories, there: Mapping[str, Accessory], name: str) -> AccessoryState:
    known = there.get(name) or one.config.accessories[name]
    volume = one.container(name) if known.volume else None
    if name not in there:
        return AccessoryState(name, known.image, NOT_MADE, volume)
    try:
        state, why = _does(one, name)
    except CurtainupError as error:
        state, why = UNKNOWN, error.what
    return AccessoryState(name, known.image, state, volume, why)


def _does(one: Accessories, name: str) -> tuple[str, str]:
    """Return what the container of an accessory does, and how it ended."""
    found = one.inspected(name)
    if found is None:
        return GONE, ""
    state = OF_CONTAINERS.get(str(found["State"]["Status"]), ENDED)
    return state, f"exit code {found['State']['ExitCode']}" if state in {ENDED, RESTARTING} else ""
