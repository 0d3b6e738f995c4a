"""Google's resources whose SDK modules are large: by their types, as each update would import these."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi


class GlobalAddress(pulumi.CustomResource):
    """A static address: `gcp.compute.GlobalAddress`."""

    address: pulumi.Output[str]
    name: pulumi.Output[str]

    def __init__(self, name: str, inputs: Mapping[str, Any], opts: pulumi.ResourceOptions) -> None:
        super().__init__("gcp:compute/globalAddress:GlobalAddress", name, {"address": None, **inputs}, opts)


class Cluster(pulumi.CustomResource):
    """A cluster: `gcp.container.Cluster`."""

    endpoint: pulumi.Output[str]

    def __init__(self, name: str, inputs: Mapping[str, Any], opts: pulumi.ResourceOptions) -> None:
        super().__init__("gcp:container/cluster:Cluster", name, {"endpoint": None, **inputs}, opts)
