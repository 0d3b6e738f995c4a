"""The stack of a cluster, which several services share."""

from __future__ import annotations

import pulumi

from curtainup.model.targets.gke import GkeCluster
from curtainup.setup import extras


def render(config: pulumi.Config) -> None:
    """Declare the cluster, and export where its API server is."""
    settings = GkeCluster.model_validate(config.require_object("cluster"))
    extras.require(extras.GKE)
    from components.gke.cluster import Cluster

    pulumi.export("endpoint", Cluster(f"curtainup-cluster-{settings.name}", settings).endpoint)
