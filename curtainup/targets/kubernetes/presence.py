"""Which of an environment's objects are gone from its cluster, though Pulumi remembers them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from curtainup.engine.aftermath import cluster_objects
from curtainup.platforms.kubernetes.cluster import Cluster, Refused

AT_ONCE = 8
"""Kinds of objects that are asked for at the same time."""
_NAMESPACES = "/api/v1/namespaces"
_NOT_FOUND = 404


def lost(cluster: Cluster, resources: Iterable[Mapping[str, Any]], labels: Mapping[str, str]) -> list[str]:
    """Return the paths of the objects that are gone.

    Args:
        cluster: where they are to be.
        resources: as the state has them.
        labels: that each of them has.

    Raises:
        Refused: the API server refuses.
        SetupError: it does not answer.

    """
    wanted: dict[str, set[str]] = defaultdict(set)
    for path in _paths(resources):
        collection, _, name = path.rpartition("/")
        wanted[collection].add(name)
    selector = ",".join(f"{key}={value}" for key, value in labels.items())

    def there(collection: str) -> set[str]:
        """Return which are there; a namespace may be looked at where nobody may list them all."""
        if collection == _NAMESPACES:
            return {one for one in wanted[collection] if cluster.find(f"{collection}/{one}") is not None}
        try:
            return cluster.names(collection, labelSelector=selector)
        except Refused as refused:
            if refused.status != _NOT_FOUND:
                raise
            return set()  # the cluster knows no such kind any more

    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = dict(zip(wanted, pool.map(there, wanted), strict=True))
    return [
        f"{collection}/{name}"
        for collection in wanted
        for name in sorted(wanted[collection] - found[collection])
    ]


def _paths(resources: Iterable[Mapping[str, Any]]) -> Iterable[str]:
    """Return the paths of what the environment has made, and is to stay."""
    for one in resources:
        ours = str(one.get("type")).startswith(cluster_objects.PREFIX)
        if not ours or one.get("delete") or one.get("external"):
            continue
        path = cluster_objects.path_of(one.get("inputs") or {})
        if path is not None:
            yield path
