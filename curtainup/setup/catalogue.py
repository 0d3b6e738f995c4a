"""Which images curtainup stands on, and how each is made; see `curtainup.setup.images`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True)
class Recipe:
    """How an image is made.

    Attributes:
        role: what curtainup uses it for.
        version: of this recipe; a change here or in its Dockerfile is a new version.
        public: the public image it starts from, where a registry is reached.
        pulled: its Dockerfile when it starts from the public image.
        built: its Dockerfile when it starts from Debian packages.
        first: whether it starts from Debian itself and not from the base image; it then gets this machine's
            certificates and pip configuration.
        files: what its Dockerfiles copy besides.

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
    Recipe("proxy", 1, None, "proxy.Dockerfile", "proxy.Dockerfile"),
    Recipe(
        "registry",
        1,
        "registry:2",
        "registry-pulled.Dockerfile",
        "registry.Dockerfile",
        files=("registry.yml",),
    ),
)

REFERENCES: Mapping[str, str] = MappingProxyType({recipe.role: recipe.reference for recipe in RECIPES})
"""The tag of each image, by role."""
