"""The latest builds of a service that are in its registry, besides the one that its image stack holds now.

That stack holds one image. With builds for reviews between those for live, an unchanged `deploy` would
build anew what live serves, and what a review has proven would be built again after the merge.
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
        tree: hash of everything that the build has read.
        version: its tag.
        revision: the commit that it was built from.
        image_id: config digest, `sha256:…`.
        reference: `repository@sha256:…`.

    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    tree: str
    version: str
    revision: str
    image_id: str
    reference: str


def read(config: Mapping[str, Any]) -> list[Build]:
    """Return the builds in the configuration of an image stack, oldest first; what is none is left out."""
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
    """Return the builds as the configuration holds them, with the latest, and without those beyond `KEPT`."""
    others = [one for one in builds if latest is None or one.tree != latest.tree]
    return [one.model_dump() for one in [*others, *([latest] if latest else [])][-KEPT:]]
