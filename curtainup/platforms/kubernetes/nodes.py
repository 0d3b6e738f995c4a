"""The nodes of pods that are not ready: one that does not answer starts no pod, and ends none.

The kubelet of a node renews its state. If it does not, the cluster calls the node not ready, after 50 seconds
by default (`node-monitor-grace-period` of kube-controller-manager), and then the pods on it too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from curtainup.errors import SetupError
from curtainup.platforms.kubernetes import pods
from curtainup.platforms.kubernetes.cluster import Cluster, Refused
from curtainup.platforms.kubernetes.pods import Object

NOT_READY = "NodeNotReady"
"""The reason of the event of a pod that is not ready because its node is not."""


def suspects(found: Iterable[Object], events: Iterable[Object]) -> set[str]:
    """Return the names of the nodes that may keep pods from being ready."""
    told = {
        str((one.get("involvedObject") or {}).get("name")) for one in events if one.get("reason") == NOT_READY
    }
    return {
        pods.node_of(one)
        for one in found
        if pods.node_of(one)
        and not (pods.is_leaving(one) or pods.is_ready(one))
        and (not pods.is_taken_on(one) or pods.name_of(one) in told)
    }


def looked_at(cluster: Cluster, names: Iterable[str]) -> Mapping[str, Object]:
    """Return nodes by their names; those that nobody may look at, or that are gone, are left out."""
    return dict(_found(cluster, names))


def _found(cluster: Cluster, names: Iterable[str]) -> Iterator[tuple[str, Object]]:
    for name in sorted(names):
        try:
            node = cluster.find(f"/api/v1/nodes/{name}")
        except (Refused, SetupError):
            continue  # a deployer needs no permission for it: the time-out tells in the end
        if node is not None:
            yield name, node


def trouble(node: Object) -> str | None:
    """Return what is wrong with a node; None if it is ready."""
    found = pods.condition(node, "Ready") or {}
    if found.get("status") == "True":
        return None
    state = "is not ready" if found.get("status") == "False" else "does not answer"
    return f"the node {pods.name_of(node)} {state}: {found.get('message') or 'nobody says why'}"
