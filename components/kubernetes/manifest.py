"""An object of the cluster as the program declares it: by its manifest, as `kubectl` takes it.

The SDK has a class for each kind, which take seconds to import in every update.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi
import pulumi_kubernetes

CORE = "v1"
"""The API group without a name; in Pulumi's types it is called `core`."""
UNAWAITED = {
    "pulumi.com/skipAwait": "true",
    "pulumi.com/deletionPropagationPolicy": "background",
}
"""The driver watches pods. The provider would wait for ten minutes on what can never start."""


def provider(name: str, context: str, opts: pulumi.ResourceOptions) -> pulumi.ProviderResource:
    """Declare the way into the cluster.

    The state never holds the kubeconfig, nor the path in KUBECONFIG, which the SDK would take: another run
    may have another one. Objects are created by POST, which the cluster refuses if there is one of that name:
    Server-Side Apply would take over what is somebody else's. The provider never gets the identity of its
    cluster: with another one the engine would replace everything, and break the state where it cannot. The
    driver refuses another cluster.
    """
    return pulumi_kubernetes.Provider(
        name,
        pulumi_kubernetes.ProviderArgs(
            context=context,
            kubeconfig=pulumi.Output.from_input(None),  # type: ignore[arg-type]  # not taken for absent
            enable_server_side_apply=False,
            enable_secret_mutable=True,
        ),
        opts=opts,
    )


class Object(pulumi.CustomResource):
    """An object that this environment makes."""

    metadata: pulumi.Output[Any]
    status: pulumi.Output[Any]

    def __init__(
        self, name: str, manifest: Mapping[str, pulumi.Input[Any]], opts: pulumi.ResourceOptions
    ) -> None:
        super().__init__(
            _type(manifest["apiVersion"], manifest["kind"]), name, {**manifest, "status": None}, opts
        )

    @property
    def named(self) -> pulumi.Output[str]:
        """Its name, once it is there."""
        return self.metadata.apply(lambda metadata: str(metadata["name"]))


class ExistingSecret(pulumi.CustomResource):
    """A Secret of somebody else's, which is read and never changed."""

    data: pulumi.Output[Any]

    def __init__(self, name: str, place: str, opts: pulumi.ResourceOptions) -> None:
        found = pulumi.ResourceOptions(id=place, additional_secret_outputs=["data"])
        super().__init__(
            _type(CORE, "Secret"), name, {"data": None}, pulumi.ResourceOptions.merge(opts, found)
        )


def _type(version: Any, kind: Any) -> str:
    return f"kubernetes:{'core/v1' if version == CORE else version}:{kind}"
