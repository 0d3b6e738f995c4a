"""The recipes of the images that curtainup builds on; see `curtainup.setup.base_images.images`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True)
class Recipe:
    """The recipe of an image.

    Attributes:
        role: the use of the image in curtainup.
        version: the version of the recipe; increase it with every change here or in the Dockerfile.
        public: the public image to start from, if curtainup reaches a registry.
        pulled: the Dockerfile that starts from the public image.
        built: the Dockerfile that starts from Debian packages.
        first: whether the image starts from Debian itself, not from the base image. It then gets this
            machine's certificates and pip configuration.
        files: further files that the Dockerfiles copy.

    """

    role: str
    version: int
    public: str | None
    pulled: str
    built: str
    first: bool = False
    files: tuple[str, ...] = ()

    @property
    def reference(self) -> str:
        """Return the image's tag on the Docker engine."""
        return f"curtainup/{self.role}:{self.version}"


RECIPES = (
    Recipe("base", 1, "python:3.11-slim-bookworm", "base.Dockerfile", "base.Dockerfile", first=True),
    Recipe("proxy", 2, None, "proxy.Dockerfile", "proxy.Dockerfile"),
    Recipe(
        "registry",
        2,
        "registry:2",
        "registry-pulled.Dockerfile",
        "registry.Dockerfile",
        files=("registry.yml",),
    ),
)

DOOR = Recipe("door", 1, "caddy:2", "door-pulled.Dockerfile", "door.Dockerfile")
"""The door that speaks HTTPS: made for the first service on a Docker host that asks for it."""

REFERENCES: Mapping[str, str] = MappingProxyType({recipe.role: recipe.reference for recipe in RECIPES})
"""The tag of each image that set-up makes, by role."""

REGISTRY_FOLDER = "/var/lib/images"
"""Where the registry's image keeps images; its user can write there."""
