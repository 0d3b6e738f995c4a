"""Remembers the latest builds of a service in its registry, besides the one in its image stack.

The image stack holds only one image. Without this memory, a build for a review would make an unchanged
`deploy` build live's image again, and curtainup would build an image again after the merge that the review
has already proven.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

KEY = "builds"
KEPT = 50


class Build(BaseModel):
    """An image in its registry.

    Attributes:
        tree: hash of everything that the build read.
        version: its tag.
        revision: the commit that it was built from.
        image_id: config digest, `sha256:…`.
        reference: `repository@sha256:…`.

    """

    model_config = ConfigDict(defer_build=True, frozen=True, extra="ignore")

    tree: str
    version: str
    revision: str
    image_id: str
    reference: str


def read(config: Mapping[str, Any]) -> list[Build]:
    """Return the builds in the configuration of an image stack, oldest first; skip invalid entries."""
    found = []
    for entry in config.get(KEY) or ():
        try:
            found.append(Build.model_validate(entry))
        except ValidationError:
            continue
    return found


def find(builds: Sequence[Build], tree: str, repository: str) -> Build | None:
    """Return the latest build of a tree that is in a repository."""
    fitting = (one for one in reversed(builds) if one.tree == tree)
    return next((one for one in fitting if one.reference.startswith(f"{repository}@")), None)


def written(builds: Sequence[Build], latest: Build | None) -> list[dict[str, str]]:
    """Return the builds for the configuration: add the latest, and drop the oldest beyond `KEPT`."""
    others = [one for one in builds if latest is None or one.tree != latest.tree]
    return [one.model_dump() for one in [*others, *([latest] if latest else [])][-KEPT:]]
