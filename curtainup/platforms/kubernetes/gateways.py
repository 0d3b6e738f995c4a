"""What a cluster's Gateway API has: classes, Gateways with their listeners, and what became of a route.

Follows https://gateway-api.sigs.k8s.io/reference/spec/ (`gateway.networking.k8s.io/v1`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from curtainup.errors import ConfigError, RefusedError, SetupError
from curtainup.model.targets.kubernetes import KubernetesEnvironment
from curtainup.platforms.kubernetes import pods
from curtainup.platforms.kubernetes.cluster import Cluster

API = "/apis/gateway.networking.k8s.io/v1"
TAKEN_ON = ("Accepted", "ResolvedRefs")
"""The conditions of a route that have to be true until its Gateway follows it."""
INSTALL = (
    "install a Gateway controller (https://gateway-api.sigs.k8s.io/implementations/), or `gateway: none`"
)


@dataclass(frozen=True)
class Listeners:
    """The names of the listeners that a Gateway has for an environment; empty if it has none."""

    http: str
    https: str

    @classmethod
    def of(cls, environment: KubernetesEnvironment | None) -> Listeners:
        """Return those by which users come to an environment; None has none yet."""
        if environment is None:
            return cls("", "")
        return cls(environment.http_listener, environment.https_listener)


def classes(cluster: Cluster) -> list[str]:
    """Return the names of the classes that a controller has accepted.

    Raises:
        SetupError: the cluster has no Gateway API.

    """
    with cluster.said_clearly():
        found = cluster.find(f"{API}/gatewayclasses")
    if found is None:
        raise SetupError(
            "the cluster has no Gateway API",
            where=str(cluster),
            consequence="nothing was built or changed",
            fix=INSTALL,
        )
    return sorted(pods.name_of(one) for one in found.get("items") or () if pods.has(one, "Accepted"))


def only_class(cluster: Cluster) -> str:
    """Return the cluster's only class.

    Raises:
        SetupError: it has none.
        ConfigError: it has several.

    """
    found = classes(cluster)
    if len(found) == 1:
        return found[0]
    if not found:
        raise SetupError(
            "no controller of the cluster makes Gateways: there is no accepted GatewayClass",
            where=str(cluster),
            consequence="nothing was built or changed",
            fix=INSTALL,
        )
    raise ConfigError(
        f"the cluster has {len(found)} classes of Gateways",
        where="gateway_class in pym-config.yaml",
        consequence="nothing was built or changed",
        fix=f"name one of them: {', '.join(found)}",
    )


def listeners(cluster: Cluster, place: str, host: str, known: Listeners) -> Listeners:
    """Return the listeners that a Gateway has for a host: the known ones while they are there.

    Args:
        cluster: where it is.
        place: `NAMESPACE/NAME` of the Gateway.
        host: for which the environment is to get requests; empty is any.
        known: those that lead to it until now.

    Raises:
        SetupError: there is no such Gateway.
        RefusedError: it has no listener for that host.

    """
    namespace, _, name = place.partition("/")
    with cluster.said_clearly():
        found = cluster.find(f"{API}/namespaces/{namespace}/gateways/{name}")
    if found is None:
        raise SetupError(
            f"the cluster has no Gateway {place}",
            where=f"gateway in pym-config.yaml, {cluster}",
            consequence="nothing was built or changed",
            fix="name one that `kubectl get gateways -A` shows, or remove the key: curtainup then makes one",
        )
    there = [one for one in found["spec"].get("listeners") or () if _lets_in(one, host)]
    chosen = Listeners(_first(there, "HTTP", known.http), _first(there, "HTTPS", known.https))
    if not chosen.http and not chosen.https:
        raise RefusedError(
            f"the Gateway {place} has no HTTP or HTTPS listener for {host or 'any host'}",
            where=f"gateway in pym-config.yaml, {cluster}",
            consequence="nothing was built or changed",
            fix="add a listener for the host to the Gateway, or name another Gateway",
        )
    return chosen


def not_taken_on(route: Mapping[str, Any], parent: str) -> str | None:
    """Return why a Gateway does not follow a route as it is declared now; None if it does.

    Args:
        route: the HTTPRoute.
        parent: the name of the Gateway.

    """
    generation = int(route["metadata"].get("generation") or 0)
    statuses = (route.get("status") or {}).get("parents") or ()
    own = [one for one in statuses if (one.get("parentRef") or {}).get("name") == parent]
    if not own:
        return "no controller has looked at the route"
    for status in own:
        known = {one.get("type"): one for one in status.get("conditions") or ()}
        for kind in TAKEN_ON:
            found = known.get(kind)
            if found is None or int(found.get("observedGeneration") or 0) < generation:
                return f"the controller has not looked at the route's newest weights ({kind})"
            if found.get("status") != "True":
                return f"{kind} is {found.get('status')}: {found.get('reason')}: {found.get('message')}"
    return None


def _first(there: list[Mapping[str, Any]], protocol: str, known: str) -> str:
    names = [str(one["name"]) for one in there if one.get("protocol") == protocol]
    return known if known in names else next(iter(names), "")


def _lets_in(listener: Mapping[str, Any], host: str) -> bool:
    """Return whether a listener takes requests for a host: its own may begin with a wildcard."""
    own = str(listener.get("hostname") or "")
    if not own or not host or own == host:
        return True
    return own.startswith("*.") and host.endswith(own[1:])
