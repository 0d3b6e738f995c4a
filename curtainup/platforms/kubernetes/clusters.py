"""The clusters that a command works on, each reached in one way however many environments it has."""

from __future__ import annotations

from collections.abc import Mapping
from threading import Lock

from curtainup.platforms.kubernetes import kubeconfig
from curtainup.platforms.kubernetes.cluster import Cluster
from curtainup.platforms.kubernetes.kubeconfig import Chosen


class Clusters:
    """The clusters of a deployer's kubeconfig."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        """Take the deployer's environment variables."""
        self._environ = environ
        self._lock = Lock()
        self._chosen: dict[str | None, Chosen] = {}
        self._known: dict[Chosen, Cluster] = {}

    def of(self, context: str | None) -> Cluster:
        """Return the cluster of a context; None is the one that was current when it was first asked for.

        Raises:
            UnknownContext: the kubeconfig has no such context.
            SetupError: there is no kubeconfig, or it cannot be read.

        """
        with self._lock:
            if context not in self._chosen:
                self._chosen[context] = kubeconfig.choose(self._environ, context)
            chosen = self._chosen[context]
            return self._known.setdefault(chosen, Cluster(chosen))
