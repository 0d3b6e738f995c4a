"""What a preview says, stack by stack; also what a plan holds."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

NEW: Final = "{release}"
"""Stands in names for the id of the release that is deployed, which is not known before its image is."""
PLACE: Final = re.compile(r"\[\d+\]")
"""A place in a list, within a property's path."""


@dataclass(frozen=True)
class ResourcePreview:
    """What would happen to one resource. It holds names and no values, as a value may be a secret.

    Attributes:
        operation: create, update, replace, delete or import.
        type: such as `docker:index/container:Container`.
        name: that the program gives it, with `{release}` for the id of a release that is not built yet.
        keys: paths of the properties that differ.
        forced_by: those of them that make it be replaced.
        dangerous: whether it replaces or removes something that holds data or traffic.
        image: what is built first, as `built from COMMIT`; empty when nothing is.
        after: whether it happens only once the new release has the traffic and is proven.

    """

    operation: str
    type: str
    name: str
    keys: tuple[str, ...] = ()
    forced_by: tuple[str, ...] = ()
    dangerous: bool = False
    image: str = ""
    after: bool = False


@dataclass(frozen=True)
class EnvironmentPreview:
    """An environment as it was when it was previewed.

    Attributes:
        name: `staging` or `live`.
        serving: id of the release that serves; None when none does.
        releases: ids of all that are there, oldest first.
        release: id of the one that is deployed; None when it follows from an image that is not built yet.
        settings: hash of what that one runs with.

    """

    name: str
    serving: str | None
    releases: tuple[str, ...]
    release: str | None
    settings: str


@dataclass(frozen=True)
class StackPreview:
    """What would change in one stack.

    Attributes:
        stack: its name.
        moves: releases and traffic, in words.
        changes: how many resources by operation; none where the engine did not have to be asked.
        changed: whether anything would.
        resources: those that would, by type and name.
        environment: of a stack that is one.

    """

    stack: str
    moves: tuple[str, ...]
    changes: Mapping[str, int]
    changed: bool
    resources: tuple[ResourcePreview, ...] = ()
    environment: EnvironmentPreview | None = None

    @property
    def dangers(self) -> tuple[ResourcePreview, ...]:
        """What replaces or removes something that holds data or traffic."""
        return tuple(one for one in self.resources if one.dangerous)
