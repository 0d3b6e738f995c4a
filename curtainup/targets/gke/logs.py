"""Logs of releases on GKE: those of their pods."""

from __future__ import annotations

from curtainup.model.environment import Environment
from curtainup.model.targets.gke import GkeCluster, GkeEnvironment
from curtainup.model.targets.kubernetes import KubernetesEnvironment
from curtainup.platforms.kubernetes.cluster import Cluster
from curtainup.platforms.kubernetes.clusters import Clusters
from curtainup.session import Session
from curtainup.targets.gke import access
from curtainup.targets.kubernetes.logs import KubernetesLogs


class GkeLogs(KubernetesLogs):
    """The logs of an environment's pods."""

    def __init__(self, session: Session, environment: Environment, look: object = None) -> None:
        """Read the logs of an environment; see `KubernetesLogs`.

        Raises:
            SetupError: its cluster is not there.

        """
        if not isinstance(environment.settings, GkeEnvironment):
            raise TypeError("these are not the settings of an environment on GKE")
        where = GkeCluster.at(environment.settings.cluster)
        access.require(session, where, access.gone(where))
        super().__init__(session, environment, look)

    def _found(self, clusters: Clusters, known: KubernetesEnvironment) -> Cluster:
        """Return the cluster: its context says which one it is."""
        return clusters.of(GkeCluster.at(known.cluster).context)
