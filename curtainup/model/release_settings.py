"""What a release runs with, besides its image and its secrets; `curtainup.model.targets` adds to it."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, SerializerFunctionWrapHandler, model_serializer


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


class Lean(Settings):
    """Settings that leave out what there is none of: the id of a release, a hash of them, stays the same."""

    OPTIONAL: ClassVar[tuple[str, ...]] = ()
    """What is left out where it is empty."""

    @model_serializer(mode="wrap")
    def _without_empty(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        found: dict[str, Any] = dump(self)
        return {name: value for name, value in found.items() if name not in self.OPTIONAL or value}


def variables(settings: Settings, version: str) -> dict[str, str]:
    """Return by name what a container of a release finds in its environment, PORT and VERSION included."""
    return {**settings.env, "PORT": str(settings.container_port), "VERSION": version}
