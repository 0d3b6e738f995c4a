"""How this machine reaches what only the cluster can: by port-forwards that live as long as the run."""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial
from threading import RLock
from urllib.parse import urlsplit

from curtainup.platforms.kubernetes import front
from curtainup.platforms.kubernetes.forward import Doors, Forward
from curtainup.targets.kubernetes.space import Space

FRONT = ""
"""The key of the way that users' requests take; the way to a release alone has the release's id."""


class Ways:
    """The ways that were opened to one environment."""

    def __init__(self, at_end: ExitStack) -> None:
        """Take what ends with the run."""
        self._at_end = at_end
        self._lock = RLock()
        self._open: dict[str, Forward] = {}
        self._public: dict[str, str] = {}

    def to(self, key: str, space: Space, doors: Doors, namespace: str = "") -> str:
        """Return the loopback URL of a way, which is opened at its first use.

        Args:
            key: what it leads to.
            space: where the environment is.
            doors: give the pods that it leads to.
            namespace: of these pods; empty is the environment's.

        """
        with self._lock:
            if key not in self._open:
                found = Forward(space.cluster, namespace or space.settings.namespace, doors)
                self._open[key] = found
                found.start()
                self._at_end.callback(found.close)
            return self._open[key].url

    def public(self, url: str, space: Space) -> str:
        """Return how this machine reaches the Gateway's URL; it is found out once."""
        with self._lock:
            if url not in self._public:
                self._public[url] = self._found(url, space)
            return self._public[url]

    def trouble(self, key: str) -> str:
        """Return why the last connection on a way failed; empty if it did not."""
        found = self._open.get(key)
        return found.trouble if found is not None else ""

    def _found(self, url: str, space: Space) -> str:
        """Return the first of the ways to a Gateway that leads there; no certificate fits another name.

        What listens at an address inside the cluster is, seen from here, somebody else's.
        """
        if urlsplit(url).scheme == "https" or (not front.may_be_inside(url) and front.is_reached(url)):
            return url
        with space.cluster.said_clearly():
            namespace, name = space.settings.gateway_place
            address = front.address_url(space.cluster, namespace, name)
            found = front.services(space.cluster, namespace, name)
            for one in dict.fromkeys((url, address or url)):
                if not any(front.is_inside(service, one) for service in found) and front.is_reached(one):
                    return one
        if not found:
            return url
        service = found[0]
        port = urlsplit(url).port or 80
        doors = partial(front.doors, space.cluster, service, port)
        return self.to(FRONT, space, doors, str(service["metadata"]["namespace"]))
