"""Since when each release has the traffic that it has, from the history of updates."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from curtainup import updates
from curtainup.release import Deployment
from curtainup.updates import Occasion

_VERSION = re.compile(r"\d{6}-\d{4}-\d+-([0-9a-f]{6})(-dirty-[0-9a-f]{6})?")
"""As `Source.version`."""


def occasions(deployment: Deployment, newest_first: Iterable[Mapping[str, Any]]) -> dict[str, Occasion]:
    """Return by release id the update by which it got its share of traffic, be that none.

    A release of which the history does not tell is left out. No more entries are taken than it needs. An
    update that failed counts only when it was for the share that a release has now.

    Args:
        deployment: as it is.
        newest_first: the entries of the stack's history.

    """
    wanted = {one.id: deployment.traffic.get(one.id, 0) for one in deployment.releases}
    found: dict[str, Occasion] = {}
    for entry in newest_first:
        told = updates.told(entry)
        if told.traffic is not None:
            occasion = updates.occasion(entry)
            for one, share in list(wanted.items()):
                is_there = told.releases is None or one in told.releases
                if is_there and told.traffic.get(one, 0) == share:
                    found[one] = occasion
                elif entry.get("result") == "succeeded":
                    del wanted[one]
        if not wanted or entry.get("kind") == "destroy":
            break
    return found


def commit_of(version: str, seen: Iterable[Occasion]) -> str | None:
    """Return the commit that a version was built from: in full where an update tells, else its beginning.

    None for an image that was built elsewhere, whose version says nothing of a commit.
    """
    named = _VERSION.fullmatch(version)
    if named is None:
        return None
    return next((one.commit for one in seen if one.commit.startswith(named[1])), named[1])
