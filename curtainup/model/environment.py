"""What Pulumi remembers of an environment."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field
from typing import Any, Final

from curtainup.model.contract import EnvironmentSettings
from curtainup.model.release import Address, Deployment, Release

_RELEASE: Final = re.compile(r"r[0-9a-f]{7}")
"""With what the name of a resource ends that is of one release."""


@dataclass(frozen=True)
class Environment:
    """What Pulumi remembers of an environment.

    Attributes:
        stack: the name of its stack.
        settings: what belongs to the environment itself; None before its first deployment.
        deployment: its releases and traffic.
        sealed: by release id, its secrets as ciphertext.
        outputs: of the stack's last update.
        places: by release id, the address of each container that is there, of a cut-off update too.
        spent: ids of releases that failed, where a target never takes a name twice.
        held: id of the release that waits until somebody decides: a candidate, or one whose canary is
            paused; empty when none does.
        pending: operations that were under way when the last update was cut off, as in `Remembered`.
        protected: URNs of resources that Pulumi will not remove before an update lifts that.
        retired: releases that served and were removed at once, newest last; they can be made again.
        during_freeze: why the next update may come although live is frozen; empty where it need not be said,
            and None where no update has ever said so.
        rendered: id of the release that what all releases share is made from; empty if nothing is.
        is_remainder: whether there is only what a first update had made when it was cut off.

    """

    stack: str
    settings: EnvironmentSettings | None = None
    deployment: Deployment = field(default_factory=Deployment)
    _: KW_ONLY
    sealed: Mapping[str, Any] = field(default_factory=dict)
    outputs: Mapping[str, Any] = field(default_factory=dict)
    places: Mapping[str, Address] = field(default_factory=dict)
    spent: tuple[str, ...] = ()
    retired: tuple[Release, ...] = ()
    protected: tuple[str, ...] = ()
    held: str = ""
    pending: tuple[Mapping[str, Any], ...] = ()
    rendered: str = ""
    during_freeze: str | None = None
    is_remainder: bool = False

    @property
    def paused(self) -> str:
        """The id of the release whose canary is paused; empty if none is."""
        return self.held if self.deployment.traffic.get(self.held) else ""

    @property
    def newcomer(self) -> str:
        """The id of the release that has a part of the traffic, of a canary that is paused or was cut off."""
        one = self.deployment.newcomer()
        return self.paused or (one.id if one is not None else "")

    def is_protected(self, release_id: str) -> bool:
        """Return whether a resource of a release is protected, as it has or was to get traffic."""
        return any(urn.endswith(f"-{release_id}") for urn in self.protected)

    def forgotten(self) -> list[str]:
        """Return what is protected and belongs to no release any more, so that no update can lift that."""
        known = {one.id for one in self.deployment.releases}
        named = ((urn, urn.rpartition("-")[2]) for urn in self.protected)
        return [urn for urn, last in named if _RELEASE.fullmatch(last) and last not in known]

    @property
    def url(self) -> str:
        """Where users reach it."""
        return str(self.outputs.get("public_url") or self.outputs["url"])

    def release_url(self, release_id: str) -> str:
        """Where a release is reached alone."""
        return str(self.outputs["release_urls"][release_id])
