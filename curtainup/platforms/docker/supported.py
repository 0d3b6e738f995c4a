"""Which Docker engines curtainup works with, by what an engine says of itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from curtainup.errors import SetupError

OLDEST_API = (1, 41)
"""The API of Docker 20.10, the oldest engine that curtainup works with."""
PODMAN = "Podman Engine"


@dataclass(frozen=True)
class Unsupported:
    """Why curtainup does not work with an engine.

    Attributes:
        what: the reason, after `the Docker engine`.
        fix: what to do.

    """

    what: str
    fix: str


def unsupported(version: Mapping[str, Any]) -> Unsupported | None:
    """Return why curtainup does not work with an engine; None if it does.

    Podman 4.3 answers Docker's API, and yet a deployment fails on it: it keeps an imported image under
    another name than Docker does.

    Args:
        version: the answer to `GET /version` of Docker's API.

    """
    names = {str(one.get("Name")) for one in version.get("Components") or ()}
    if PODMAN in names:
        return Unsupported(
            f"is Podman {version.get('Version')}, which curtainup does not work with",
            "install Docker: https://docs.docker.com/engine/install",
        )
    api = str(version.get("ApiVersion"))
    if tuple(int(part) for part in api.split(".") if part.isdigit()) < OLDEST_API:
        return Unsupported(f"is too old: its API is {api}", "install Docker 20.10 or newer")
    return None


def require(version: Mapping[str, Any], where: str) -> None:
    """Check that curtainup works with the engine of this machine.

    Args:
        version: the answer to `GET /version` of Docker's API.
        where: the engine's address.

    Raises:
        SetupError: it does not.

    """
    found = unsupported(version)
    if found is not None:
        raise SetupError(
            f"the Docker engine {found.what}",
            where=where,
            consequence="nothing was built or changed",
            fix=found.fix,
        )
