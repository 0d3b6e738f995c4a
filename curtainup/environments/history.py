"""Every change of an environment's releases and traffic, from Pulumi's own history of updates."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from curtainup.engine import deployer
from curtainup.engine.settings_file import NAMESPACE
from curtainup.environments import stack
from curtainup.model.release import Deployment
from curtainup.util import moments

RELEASES, TRAFFIC, BY, DURING_FREEZE = (
    f"{NAMESPACE}{key}" for key in ("releases", "traffic", deployer.KEY, stack.DURING_FREEZE)
)


@dataclass(frozen=True)
class Update:
    """One update of an environment's stack.

    Attributes:
        environment: `staging`, `live` …
        at: when it began, UTC, ISO 8601.
        seconds: that it took.
        kind: `update`, `destroy`, `refresh` …
        result: `succeeded` or `failed`.
        by: who made it, such as `ann@laptop`; empty when an earlier curtainup did not say.
        author: of the commit that was checked out; empty outside of git.
        commit: its hash; empty outside of git.
        moves: how it changed, or was to change, releases and traffic, in words.
        during_freeze: why it came although live was frozen; empty if live was not.

    """

    environment: str
    at: str
    seconds: int
    kind: str
    result: str
    by: str
    author: str
    commit: str
    moves: tuple[str, ...]
    during_freeze: str = ""


@dataclass(frozen=True)
class Occasion:
    """When an update began, who made it, and which commit was checked out; as in `Update`."""

    at: str
    by: str
    author: str
    commit: str


@dataclass(frozen=True)
class Told:
    """The releases (version by id) and traffic in the configuration of an update; None if it has none."""

    releases: Mapping[str, str] | None
    traffic: Mapping[str, int] | None


@dataclass(frozen=True)
class _State:
    """Versions by release id, and shares of those that have traffic."""

    releases: Mapping[str, str]
    traffic: Mapping[str, int]


_EMPTY = _State({}, {})


def parse(environment: str, entries: Sequence[Mapping[str, Any]]) -> list[Update]:
    """Return the updates that a stack's history describes.

    Args:
        environment: the stack's.
        entries: oldest first, as a file backend keeps them or as `pulumi stack history --json` tells them;
            there, what holds secrets is left out.

    """
    before, found = _EMPTY, []
    for entry in entries:
        after = _EMPTY if entry.get("kind") == "destroy" else _state(entry, before)
        found.append(_update(environment, entry, before, after))
        before = after
    return found


def occasion(entry: Mapping[str, Any]) -> Occasion:
    """Return when an update began and who made it."""
    about = entry.get("environment") or {}
    return Occasion(
        moments.utc(_moment(entry.get("startTime"))).isoformat(timespec="seconds"),
        str(_value((entry.get("config") or {}).get(BY)) or ""),
        str(about.get("git.author", "")),
        str(about.get("git.head", "")),
    )


def told(entry: Mapping[str, Any]) -> Told:
    """Return the releases and the shares of those with traffic that an update was to bring about."""
    config = entry.get("config") or {}
    releases, traffic = _value(config.get(RELEASES)), _value(config.get(TRAFFIC))
    versions, shares = None, None
    if isinstance(releases, list):
        known = (one for one in releases if isinstance(one, Mapping) and "id" in one)
        versions = {str(one["id"]): str(one.get("version", one["id"])) for one in known}
    if isinstance(traffic, Mapping):
        shares = {str(one): share for one, share in traffic.items() if isinstance(share, int) and share}
    return Told(versions, shares)


def _update(environment: str, entry: Mapping[str, Any], before: _State, after: _State) -> Update:
    seconds = max(0, round(_moment(entry.get("endTime")) - _moment(entry.get("startTime"))))
    kind, result = str(entry.get("kind", "update")), str(entry.get("result", ""))
    one = occasion(entry)
    moves = _moves(before, after)
    reason = str(_value((entry.get("config") or {}).get(DURING_FREEZE)) or "")
    return Update(environment, one.at, seconds, kind, result, one.by, one.author, one.commit, moves, reason)


def _moves(before: _State, after: _State) -> tuple[str, ...]:
    names = {**before.releases, **after.releases}

    def call(one: str) -> str:
        return f"{names[one]} ({one})" if one in names else one

    moves = [f"{call(one)} added" for one in after.releases if one not in before.releases]
    for one in dict.fromkeys((*before.traffic, *after.traffic)):
        old, new = before.traffic.get(one, 0), after.traffic.get(one, 0)
        if old != new:
            moves.append(f"{call(one)} {old} → {new} %")
    moves += [f"{call(one)} removed" for one in before.releases if one not in after.releases]
    return tuple(moves)


def _state(entry: Mapping[str, Any], before: _State) -> _State:
    """Return releases and traffic after an update; a part that its configuration lacks stays as before."""
    found = told(entry)
    return _State(
        before.releases if found.releases is None else found.releases,
        before.traffic if found.traffic is None else found.traffic,
    )


def _value(told: Any) -> Any:
    """Return a value as a file keeps it; the CLI wraps it in `value`, `objectValue` and `secret`."""
    if not isinstance(told, Mapping) or "secret" not in told:
        return told
    if told.get("objectValue") is not None:
        return told["objectValue"]
    try:
        return json.loads(told.get("value") or "null")
    except (TypeError, ValueError, RecursionError):
        return None


def _moment(told: Any) -> float:
    """Return seconds of the epoch; a file holds them, the CLI tells ISO 8601."""
    try:
        if not isinstance(told, int | float):
            return datetime.fromisoformat(str(told)).timestamp()
        return float(told) if math.isfinite(told) else 0.0
    except (ValueError, OverflowError):
        return 0.0


_VERSION = re.compile(r"\d{6}-\d{4}-\d+-([0-9a-f]{6})(-dirty-[0-9a-f]{6})?")
"""As `Source.version`."""


def occasions(deployment: Deployment, newest_first: Iterable[Mapping[str, Any]]) -> dict[str, Occasion]:
    """Return by release id the update that gave the release its current share of traffic, which may be zero.

    Releases that the history does not mention are left out. It reads no more entries than necessary. A failed
    update counts only if it was for the share that a release has now.

    Args:
        deployment: as it is.
        newest_first: the entries of the stack's history.

    """
    wanted = {one.id: deployment.traffic.get(one.id, 0) for one in deployment.releases}
    found: dict[str, Occasion] = {}
    for entry in newest_first:
        then = told(entry)
        if then.traffic is not None:
            made = occasion(entry)
            for one, share in list(wanted.items()):
                is_there = then.releases is None or one in then.releases
                if is_there and then.traffic.get(one, 0) == share:
                    found[one] = made
                elif entry.get("result") == "succeeded":
                    del wanted[one]
        if not wanted or entry.get("kind") == "destroy":
            break
    return found


def commit_of(version: str, seen: Iterable[Occasion]) -> str | None:
    """Return the commit that a version was built from: in full if an update names it, else its beginning.

    Return None for an image that was built elsewhere, because its version contains no commit.
    """
    named = _VERSION.fullmatch(version)
    if named is None:
        return None
    return next((one.commit for one in seen if one.commit.startswith(named[1])), named[1])
