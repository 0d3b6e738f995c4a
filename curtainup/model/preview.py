"""The data of a preview, stack by stack. A plan holds the same data."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

NEW: Final = "{release}"
"""The placeholder in names for the id of the new release, which is not known before its image is built."""
PLACE: Final = re.compile(r"\[\d+\]")
"""An index of a list in a property's path."""


@dataclass(frozen=True)
class ResourcePreview:
    """The planned change of one resource. It holds names and no values, because a value may be a secret.

    Attributes:
        operation: create, update, replace, delete or import.
        type: such as `docker:index/container:Container`.
        name: its name in the program, with `{release}` for the id of a release that is not built yet.
        keys: paths of the properties that differ.
        forced_by: the paths in `keys` that force a replacement.
        dangerous: whether it replaces or removes something that holds data or traffic.
        image: the image to build first, as `built from COMMIT`; empty if there is none.
        after: whether it happens only after the new release has the traffic and is proven.

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
    """An environment at the time of the preview.

    Attributes:
        name: `staging` or `live`.
        serving: id of the release that serves; None if none does.
        releases: ids of all existing releases, oldest first.
        release: id of the new release; None if its image is not built yet.
        settings: hash of the settings of the new release.

    """

    name: str
    serving: str | None
    releases: tuple[str, ...]
    release: str | None
    settings: str


@dataclass(frozen=True)
class StackPreview:
    """The planned changes of one stack.

    Attributes:
        stack: its name.
        moves: releases and traffic, in words.
        changes: the number of resources by operation; empty if the preview did not need the engine.
        changed: whether anything would change.
        resources: the resources that would change, by type and name.
        environment: the environment of the stack; None for an image stack.

    """

    stack: str
    moves: tuple[str, ...]
    changes: Mapping[str, int]
    changed: bool
    resources: tuple[ResourcePreview, ...] = ()
    environment: EnvironmentPreview | None = None

    @property
    def dangers(self) -> tuple[ResourcePreview, ...]:
        """The changes that replace or remove something that holds data or traffic."""
        return tuple(one for one in self.resources if one.dangerous)
