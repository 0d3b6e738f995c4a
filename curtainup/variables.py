"""The plain variables that a release's container is given; its secrets come on top."""

from __future__ import annotations

from curtainup.release_settings import Settings


def variables(settings: Settings, version: str) -> dict[str, str]:
    """Return by name what a container of a release finds in its environment, PORT and VERSION included."""
    return {**settings.env, "PORT": str(settings.container_port), "VERSION": version}
