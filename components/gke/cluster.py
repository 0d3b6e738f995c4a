"""A cluster of Google Kubernetes Engine, which environments of several services share."""

from __future__ import annotations

import pulumi
import pulumi_gcp as gcp

from components.gke import resources
from components.gke.apis import enabled
from curtainup.model.targets.gke import CLUSTER_APIS, GkeCluster

RESOURCE = "cluster"
CREATE, DELETE = "45m", "45m"
"""How long Google may take. It needs minutes, and now and then a quarter of an hour."""


class Cluster(pulumi.ComponentResource):
    """A cluster in Autopilot mode: Google runs its nodes, and bills what pods ask for.

    Autopilot has the Gateway API and Workload Identity without being asked. The cluster is protected twice:
    Pulumi refuses to delete it, and so does Google's provider. It makes no network, and grants nothing.
    """

    endpoint: pulumi.Output[str]

    def __init__(self, name: str, args: GkeCluster, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("curtainup:gke:Cluster", name, None, opts)
        within = pulumi.ResourceOptions(parent=self)
        provider = gcp.Provider(f"{name}-gcp", gcp.ProviderArgs(project=args.project), opts=within)
        within = pulumi.ResourceOptions(parent=self, provider=provider)
        apis = enabled(name, CLUSTER_APIS, within)
        made = self._create_cluster(name, args, pulumi.ResourceOptions.merge(within, _after(apis)))
        self.endpoint = made.endpoint
        self.register_outputs({"endpoint": self.endpoint})

    def _create_cluster(self, name: str, args: GkeCluster, opts: pulumi.ResourceOptions) -> resources.Cluster:
        inputs = {
            "name": args.name,
            "location": args.location,
            "enableAutopilot": True,
            "deletionProtection": True,
            "network": args.network,
            "releaseChannel": {"channel": "REGULAR"},
            "resourceLabels": {"curtainup-cluster": args.name},
            **({"subnetwork": args.subnetwork} if args.subnetwork else {}),
        }
        patience = pulumi.CustomTimeouts(create=CREATE, delete=DELETE)
        kept = pulumi.ResourceOptions(protect=True, custom_timeouts=patience)
        return resources.Cluster(f"{name}-{RESOURCE}", inputs, pulumi.ResourceOptions.merge(opts, kept))


def _after(made: list[pulumi.Resource]) -> pulumi.ResourceOptions:
    return pulumi.ResourceOptions(depends_on=made)
