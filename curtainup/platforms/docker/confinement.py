"""How containers that curtainup creates by Docker's API are confined: as the program's own are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from curtainup.model.targets.docker import DockerSettings

MEMORY = "512m"
PIDS = 512
"""The bounds of a proxy or a registry."""


def confined(capabilities: Sequence[str] = ()) -> dict[str, Any]:
    """Return options of a container: no capability but those that are named, and no way to gain one."""
    return {
        "cap_drop": ["ALL"],
        "cap_add": list(capabilities),
        "security_opt": ["no-new-privileges:true"],
    }


def of_release(settings: DockerSettings) -> dict[str, Any]:
    """Return the options of a container that is bounded and confined as one of a release is."""
    return {
        **confined(settings.granted),
        "mem_limit": f"{settings.memory_mb}m",
        "memswap_limit": f"{settings.memory_mb}m",
        "nano_cpus": int(settings.cpus * 1e9) if settings.cpus else None,
        "pids_limit": settings.pids_limit,
    }


def lacking(log: str) -> str | None:
    """Return the fix for a container that lacks a capability, by the end of its log; else None."""
    if "operation not permitted" not in log.lower():
        return None
    return (
        "let the image run as a user of its own (USER in the Dockerfile), or allow what it does as root: "
        "`capabilities: [SETGID, SETUID]` in pym-config.yaml, and CHOWN, FOWNER or DAC_OVERRIDE for files"
    )


def bounded() -> dict[str, Any]:
    """Return the options of a proxy or a registry, which needs no capability at all."""
    return {**confined(), "mem_limit": MEMORY, "memswap_limit": MEMORY, "pids_limit": PIDS}
