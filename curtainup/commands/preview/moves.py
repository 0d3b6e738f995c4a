"""The moves of releases and traffic that the next deployment would make, in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from curtainup.model.release import Deployment, Release


@dataclass(frozen=True)
class Going:
    """Where a deployment takes an environment.

    Attributes:
        before: the environment as it is.
        after: as it is then, before anything is retired.
        new: the release that is deployed.
        called: the new release, as people are told of it.
        url: where it is tested before it has traffic; None where it is not, or that is not known yet.
        shares: per cent that it gets, one after another.
        tested_alone: whether it is tested before it gets traffic.
        keep: how many releases without traffic stay.
        retires: ids of releases that leave as soon as the new one is proven.
        held: id of a candidate that somebody holds; empty when there is none.
        tasks: names of those that are run before it has traffic.

    """

    before: Deployment
    after: Deployment
    new: Release
    called: str
    url: str | None
    shares: Sequence[int]
    tested_alone: bool
    keep: int
    retires: Sequence[str] = ()
    held: str = ""
    tasks: Sequence[str] = ()


def told(going: Going) -> list[str]:
    """Return what happens, a line each: the new release, the one that serves, and those that leave."""
    serving = going.before.serving()
    lines = []
    if serving is None or serving.id != going.new.id:
        lines.append(f"{going.called} {_course(going)}")
        if serving is not None:
            lines.append(f"{_named(serving)} {_stay(going, serving)}")
    for one in going.before.releases:
        gone = going.after.find(one.id) is None
        if gone and one.id == going.held:
            lines.append(f"{_named(one)} is held: deploy needs --replace-candidate to drop it")
        elif gone:
            lines.append(f"{_named(one)} is removed")
        elif one.id in going.retires and one != serving:
            lines.append(f"{_named(one)} is removed once {going.new.version} is proven")
    return lines


def _course(going: Going) -> str:
    where = f" at {going.url}" if going.url else ""
    ran = f"runs its tasks ({', '.join(going.tasks)}), " if going.tasks else ""
    if not going.tested_alone:
        first = f"starts without traffic, {ran}then " if ran else ""
        return f"{first}gets 100 % and is tested{where}"
    *steps, last = [f"{share} %" for share in going.shares]
    gets = f"{', '.join(steps)} and {last}" if steps else last
    starts = "is there" if going.before.find(going.new.id) else "starts"
    return f"{starts} without traffic, {ran}is tested alone{where}, then gets {gets}"


def _stay(going: Going, serving: Release) -> str:
    if serving.id in going.retires:
        return f"is removed once {going.new.version} is proven"
    if going.keep <= 1:
        return "is kept without traffic until the next deployment"
    return f"is kept without traffic until {going.keep} newer ones have been live"


def _named(one: Release) -> str:
    return f"{one.version} ({one.id})"
