"""The cluster that an environment was deployed to, by the kubeconfig of whoever runs a command."""

from __future__ import annotations

from curtainup.errors import RefusedError, SetupError
from curtainup.model.targets.kubernetes import KubernetesEnvironment
from curtainup.platforms.kubernetes.cluster import Cluster
from curtainup.platforms.kubernetes.clusters import Clusters
from curtainup.platforms.kubernetes.kubeconfig import UnknownContext

IF_GONE = "if the environment's cluster is gone for good, see `A cluster that is gone` in docs/kubernetes.md"


def cluster(clusters: Clusters, name: str, known: KubernetesEnvironment) -> Cluster:
    """Return the cluster that an environment is on, by the context of its last update.

    Args:
        clusters: of the kubeconfig.
        name: of the environment.
        known: its settings as deployed.

    Raises:
        RefusedError: the context leads to another cluster.
        SetupError: there is no such context here, or its cluster does not answer.

    """
    try:
        found = clusters.of(known.context)
    except UnknownContext as unknown:
        raise SetupError(
            f"the kubeconfig has no context {known.context} any more, by which {name} was deployed",
            where=unknown.where,
            consequence="nothing was changed",
            fix=f"give it that name again: kubectl config rename-context NEW {known.context}; or run "
            "curtainup deploy, which goes by kube_context as it is now",
            detail=unknown.fix,
        ) from unknown
    if found.identity != known.cluster:
        raise RefusedError(
            f"the context {known.context} leads to another cluster than the one {name} is on",
            where=f"{found} ({found.identity}, not {known.cluster})",
            consequence="what has the same names there is somebody else's, so nothing was done",
            fix=f"have KUBECONFIG name a file in which that context is the environment's cluster; {IF_GONE}",
        )
    return found
