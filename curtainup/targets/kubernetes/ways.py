"""How this machine reaches what only the cluster can: by port-forwards that live as long as the run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from threading import RLock
from urllib.parse import urlsplit

from curtainup.platforms.kubernetes import front
from curtainup.platforms.kubernetes.forward import Doors, Forward
from curtainup.targets.kubernetes.space import Space

FRONT = ""
"""The key of the way that users' requests take; the way to a release alone has the release's id."""

LASTS = 1.0
"""Seconds for which a Gateway, or a release, is taken to have the same pods, unless one is gone.

The probe and the tests connect many times a second.
"""


class Ways:
    """The ways that were opened to one environment."""

    def __init__(self, at_end: ExitStack) -> None:
        """Take what ends with the run."""
        self._at_end = at_end
        self._lock = RLock()
        self._open: dict[str, Forward] = {}
        self._public: dict[str, str] = {}

    def to(self, key: str, space: Space, doors: Doors, namespace: str = "", lasting: float = 0.0) -> str:
        """Return the loopback URL of a way, which is opened at its first use.

        Args:
            key: what it leads to.
            space: where the environment is.
            doors: give the pods that it leads to.
            namespace: of these pods; empty is the environment's.
            lasting: for how many seconds what `doors` give holds for the next connections.

        """
        with self._lock:
            if key not in self._open:
                found = Forward(space.cluster, namespace or space.settings.namespace, doors, lasting)
                self._open[key] = found
                found.start()
                self._at_end.callback(found.close)
            return self._open[key].url

    def public(self, url: str, space: Space, answers: Callable[[str], bool]) -> str:
        """Return how this machine reaches the Gateway's URL; once a way has proven itself, it stays.

        Args:
            url: that users have.
            space: where the environment is.
            answers: tells whether the environment answers with success by a way.

        """
        with self._lock:
            if url in self._public:
                return self._public[url]
            found, is_proven = self._found(url, space, answers)
            if is_proven:
                self._public[url] = found
            return found

    def trouble(self, key: str) -> str:
        """Return why the last connection on a way failed; empty if it did not."""
        found = self._open.get(key)
        return found.trouble if found is not None else ""

    def _found(self, url: str, space: Space, answers: Callable[[str], bool]) -> tuple[str, bool]:
        """Return the way to a Gateway by which the environment answers, and whether it does.

        Something else may listen at an address, such as another network's machine. If it answers nowhere, the
        first way by which anything is reached counts. No certificate fits another name.
        """
        if urlsplit(url).scheme == "https":
            return url, True
        reached = ""
        for way in self._to_gateway(url, space):
            if answers(way):
                return way, True
            reached = reached or way
        return reached or url, False

    def _to_gateway(self, url: str, space: Space) -> Iterator[str]:
        """Give the ways to a Gateway by which something is reached, the one that users take first.

        What listens at an address inside the cluster is, seen from here, somebody else's.
        """
        if not front.may_be_inside(url) and front.is_reached(url):
            yield url
        with space.cluster.said_clearly():
            namespace, name = space.settings.gateway_place
            address = front.address_url(space.cluster, namespace, name) or url
            found = front.services(space.cluster, namespace, name)
        others = dict.fromkeys((url, address))
        if not front.may_be_inside(url):
            del others[url]
        for one in others:
            is_inside = any(front.is_inside(service, one) for service in found)
            if not is_inside and front.is_reached(one):
                yield one
        if found:
            service, port = found[0], urlsplit(url).port or 80
            doors = partial(front.doors, space.cluster, service, port)
            yield self.to(FRONT, space, doors, str(service["metadata"]["namespace"]), LASTS)
