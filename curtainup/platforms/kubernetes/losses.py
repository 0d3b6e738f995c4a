"""The pods of a release on nodes that are lost: they are made anew, and a kept release may serve without.

The cluster itself makes such pods anew after five minutes (the toleration `node.kubernetes.io/unreachable`
that it gives to each pod). Nobody waits for that in a deployment or a rollback.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from curtainup.errors import SetupError
from curtainup.platforms.kubernetes import pods
from curtainup.platforms.kubernetes.cluster import Cluster, Refused
from curtainup.platforms.kubernetes.diagnosis import Seen

PATIENCE = 20.0
"""Seconds for which pods may start on other nodes; without a node that has room, they never do."""


@dataclass
class Losses:
    """What becomes of the pods that a release has lost.

    Attributes:
        cluster: where they are.
        namespace: of the release.
        version: of the release, for people.
        serving: tells how many pods are ready of the release that has the traffic.
        tell: told what people have to know.
        clock: tells the seconds.

    """

    cluster: Cluster
    namespace: str
    version: str
    serving: Callable[[], int]
    tell: Callable[[str], None]
    clock: Callable[[], float] = time.monotonic
    _since: float | None = None
    _asked: set[str] = field(default_factory=set)

    def make_anew(self, seen: Seen) -> bool:
        """Have the cluster make pods on nodes that are lost anew on others; return whether there are any.

        Each is tried once: the cluster lets go of it, but nobody ends it there.
        """
        gone = {pods.name_of(one): pods.node_of(one) for one in seen.lost if not pods.is_leaving(one)}
        new = sorted(gone.keys() - self._asked)
        if not new:
            return False
        self._asked.update(new)
        nodes = ", ".join(sorted({gone[one] for one in new}))
        self.tell(f"pods of {self.version} are on {nodes}, which does not answer; starting them elsewhere")
        try:
            for one in new:
                self.cluster.delete(f"/api/v1/namespaces/{self.namespace}/pods/{one}")
        except (Refused, SetupError) as error:
            self.tell(f"they are not started elsewhere: {error}")
            return False
        return True

    def may_serve(self, seen: Seen, spare: int) -> bool:
        """Return whether a release may serve without the pods that it has lost.

        It may with as many pods as serve now, or once the others had their time to start elsewhere.

        Args:
            seen: the release.
            spare: how many other pods it may lack.

        Raises:
            Refused: the API server refuses.
            SetupError: it does not answer.

        """
        lost = seen.lost
        if not lost or not seen.has_enough(spare + len(lost)):
            return False
        now = self.clock()
        if self._since is None:
            self._since = now
        if seen.ready < self.serving() and now - self._since < PATIENCE:
            return False
        self.tell(f"{seen.ready} of {seen.wanted} pods of {self.version} are ready; the others were lost")
        return True
