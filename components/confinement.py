"""What a container's processes may do: no more than they need.

Docker has no way to change this in a container that exists, and a release or a proxy that serves is never
replaced for it. So only new containers get it: `AS_CREATED` belongs into their `ignore_changes`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import pulumi_docker as docker

AS_CREATED: Final = ["capabilities", "securityOpts", "healthcheck"]
"""The inputs of a container that stay as they were when it was created."""


def confined(capabilities: Sequence[str] = ()) -> dict[str, Any]:
    """Return arguments of a container: no capability but those that are named, and no way to gain one."""
    added = [f"CAP_{name}" for name in capabilities]
    return {
        "capabilities": docker.ContainerCapabilitiesArgs(adds=added, drops=["ALL"]),
        "security_opts": ["no-new-privileges:true"],
    }
