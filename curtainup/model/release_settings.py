"""What a release runs with, besides its image and its secrets; `curtainup.model.targets` adds to it."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class Frozen(BaseModel):
    """A frozen model that refuses unknown fields."""

    # Entries of stack configuration hold secrets: what is wrong with one is said without showing it.
    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid", hide_input_in_errors=True)


class Settings(Frozen):
    """What a release runs with on any target, besides its image and its secrets.

    Attributes:
        container_port: where the service listens, given to it as PORT.
        health_path: answers 2xx when the release can serve.
        env: plain environment variables, PYM_ENV included.

    """

    container_port: int = Field(ge=1, le=65535)
    health_path: str = Field(pattern=r"^/")
    env: dict[str, str] = Field(default_factory=dict)


def variables(settings: Settings, version: str) -> dict[str, str]:
    """Return by name what a container of a release finds in its environment, PORT and VERSION included."""
    return {**settings.env, "PORT": str(settings.container_port), "VERSION": version}
