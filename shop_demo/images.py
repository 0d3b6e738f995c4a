"""The images of PostgreSQL and Redis: the public ones, or Debian's packages where no registry is reached."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import docker

from curtainup.setup import go_build, paths
from curtainup.setup.base_images import building, images
from curtainup.setup.base_images.catalogue import REFERENCES
from curtainup.setup.process import Report

RECIPES = Path(__file__).parent / "recipes"
ROLE = "curtainup.demo"
"""The label of the images that are built."""


@dataclass(frozen=True)
class Part:
    """What the shop needs beside its releases.

    Attributes:
        name: of the program.
        public: the image that pym-config.yaml names.
        version: of the recipe from Debian's packages; increase it with every change of the recipe.

    """

    name: str
    public: str
    version: int

    @property
    def built(self) -> str:
        """Return the tag of the image from Debian's packages."""
        return f"curtainup-demo/{self.name}:{self.version}"


POSTGRES = Part("postgres", "postgres:16", 1)
REDIS = Part("redis", "redis:7", 1)
ACCESSORIES: Mapping[str, Part] = {"db": POSTGRES, "cache": REDIS}
"""Each part by its name in pym-config.yaml."""


def reference(client: docker.DockerClient, part: Part, report: Report) -> str:
    """Return the image of a part, which is then on the Docker engine.

    The one that is there already counts. So a later run takes the same, whatever it reaches.

    Raises:
        SetupError: the engine does not answer, or the image can be neither pulled nor built.

    """
    for there in (part.public, part.built):
        if images.is_there(client, there):
            return there
    return images.pulled(client, part.public, report) or built(client, part, report)


def built(client: docker.DockerClient, part: Part, report: Report) -> str:
    """Return the image of a part from Debian's packages, which is made once on each Docker engine.

    Raises:
        SetupError: as `reference`.

    """
    lock = paths.cache_dir() / "demo" / f"{part.name}.lock"
    lock.parent.mkdir(parents=True, exist_ok=True)
    with go_build.locked(lock, f"the image of {part.name}", report):
        if not images.is_there(client, part.built):
            images.ensure(client, report)
            report(f"making an image of {part.name} from Debian packages")
            _build(client, part)
    return part.built


def _build(client: docker.DockerClient, part: Part) -> None:
    entrypoint = RECIPES / f"{part.name}-entrypoint.sh"
    building.build(
        client,
        (RECIPES / f"{part.name}.Dockerfile").read_bytes(),
        {entrypoint.name: entrypoint.read_bytes()},
        tag=part.built,
        source=REFERENCES["base"],
        labels={ROLE: part.name},
    )
