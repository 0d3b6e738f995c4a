"""The nodes of pods that are not ready: one that does not answer starts no pod, and ends none.

The kubelet of a node renews its state. If it does not, the cluster calls the node not ready, after 50 seconds
by default (`node-monitor-grace-period` of kube-controller-manager), and then the pods on it too.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor

from curtainup.errors import SetupError
from curtainup.platforms.kubernetes import pods
from curtainup.platforms.kubernetes.cluster import Cluster, Refused
from curtainup.platforms.kubernetes.pods import Object

NOT_READY = "NodeNotReady"
"""The reason of the event of a pod that is not ready because its node is not."""
LASTS = 5.0
"""Seconds for which a node is taken to be as it was: the cluster itself takes longer to notice."""
AT_ONCE = 8
"""Nodes that are asked for at the same time. A deployer may `get` one, not list them; a list may be long."""


class Nodes:
    """The nodes of a cluster, each looked at once in a while."""

    def __init__(self, cluster: Cluster, clock: Callable[[], float] = time.monotonic) -> None:
        """Take the cluster; nothing is asked yet."""
        self._cluster, self._clock = cluster, clock
        self._known: dict[str, tuple[float, Object | None]] = {}

    def looked_at(self, names: Iterable[str]) -> Mapping[str, Object]:
        """Return nodes by their names; those that nobody may look at, or that are gone, are left out."""
        wanted, now = sorted(names), self._clock()
        old = [one for one in wanted if one not in self._known or now - self._known[one][0] >= LASTS]
        if old:
            with ThreadPoolExecutor(AT_ONCE) as pool:
                found = pool.map(self._found, old)
                self._known.update((name, (now, node)) for name, node in zip(old, found, strict=True))
        return {name: node for name in wanted if (node := self._known[name][1]) is not None}

    def _found(self, name: str) -> Object | None:
        try:
            return self._cluster.find(f"/api/v1/nodes/{name}")
        except (Refused, SetupError):
            return None  # a deployer needs no permission for it: the time-out tells in the end


def suspects(found: Iterable[Object], events: Iterable[Object]) -> set[str]:
    """Return the names of the nodes that may keep pods of a new release from being ready."""
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


def of_unready(found: Iterable[Object]) -> set[str]:
    """Return the names of the nodes of pods that are not ready, or have to go."""
    return {pods.node_of(one) for one in found if pods.node_of(one) and not pods.is_ready(one)}


def trouble(node: Object) -> str | None:
    """Return what is wrong with a node; None if it is ready."""
    found = pods.condition(node, "Ready") or {}
    if found.get("status") == "True":
        return None
    state = "is not ready" if found.get("status") == "False" else "does not answer"
    return f"the node {pods.name_of(node)} {state}: {found.get('message') or 'nobody says why'}"
