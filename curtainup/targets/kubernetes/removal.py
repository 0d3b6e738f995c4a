"""Why an environment's namespace does not go: the cluster says what is still in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from curtainup.errors import CurtainupError, EngineFailed, SetupError
from curtainup.platforms.kubernetes.cluster import Refused
from curtainup.targets.kubernetes.space import Space

NAMESPACE = "kubernetes:core/v1:Namespace::"
"""What the URN of a namespace has."""
TIME_OVER = "timed out waiting"
"""What the provider says of whatever has not gone in time."""


def explained(error: CurtainupError, space: Space) -> CurtainupError:
    """Return the error of a removal with what holds the namespace; the same if something else failed."""
    is_namespace = isinstance(error, EngineFailed) and any(NAMESPACE in urn for urn in error.failing)
    if not is_namespace or TIME_OVER not in f"{error.what}\n{error.detail}":
        return error
    name = space.settings.namespace
    return EngineFailed(
        f"the namespace {name} does not go",
        where=str(space),
        consequence="what is left of the environment goes once nothing holds it; the state still has it",
        fix=f"`kubectl get pods --namespace {name} --output wide` shows pods that do not end, such as those "
        "of a lost node. Have the node mended, or remove it with `kubectl delete node`; then run the command "
        "again",
        detail=_remaining(space) or error.detail,
    )


def _remaining(space: Space) -> str:
    """Return what the cluster says of the namespace; empty if nobody can ask, or it is gone by now."""
    try:
        found = space.cluster.find(f"/api/v1/namespaces/{space.settings.namespace}")
    except (Refused, SetupError):
        return ""
    return holding(found or {})


def holding(namespace: Mapping[str, Any]) -> str:
    """Return what holds a namespace that is being deleted, in the cluster's own words."""
    conditions = (namespace.get("status") or {}).get("conditions") or ()
    return "\n".join(str(one.get("message")) for one in conditions if one.get("status") == "True")
