"""Settings of the `kubernetes` target."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import Field, StringConstraints

from curtainup.config.keys import KeyDoc, Text, key
from curtainup.config.runtime import Settings

NO_GATEWAY: Final = "none"
"""What `gateway` is without a Gateway, as in `curtainup.model.targets.kubernetes`."""
_KUBERNETES = ("kubernetes",)
_CLUSTERS = ("kubernetes", "gke")
_NAME = r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?"
_NAMESPACE = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"

ObjectName = Annotated[str, StringConstraints(pattern=rf"^{_NAME}\z", max_length=253)]
Placed = Annotated[str, StringConstraints(pattern=rf"^{_NAMESPACE}/{_NAME}\z", max_length=317)]
Gateway = Annotated[str, StringConstraints(pattern=rf"^({_NAMESPACE}/{_NAME}|none)\z", max_length=317)]
Domain = Annotated[
    str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+\z")
]
Replicas = Annotated[int, Field(ge=1, le=1000)]


class KubernetesKeys(Settings):
    """Where an environment is on a cluster, how users reach it, and how many pods it has."""

    kube_context: Text | None = key(
        None,
        "The context of the kubeconfig to deploy with. The kubeconfig is the file in `KUBECONFIG`, else "
        "`~/.kube/config`.",
        KeyDoc(
            expects="the name of a context of the kubeconfig",
            wrong="curtainup would deploy to another cluster",
            example="production",
            targets=_KUBERNETES,
            shown="the kubeconfig's current context",
        ),
    )
    gateway: Gateway | None = key(
        None,
        "The Gateway that users reach the environment by: one that is there, or `none`. Without a Gateway a "
        "release gets all traffic or none of it, and `canary` is refused.",
        KeyDoc(
            expects="NAMESPACE/NAME of a Gateway, or none",
            wrong="nobody could reach the environment",
            example="gateways/public",
            targets=_CLUSTERS,
            shown="curtainup makes one for the environment",
        ),
    )
    gateway_class: ObjectName | None = key(
        None,
        "The class of the Gateway that curtainup makes.",
        KeyDoc(
            expects="the name of a GatewayClass",
            wrong="no controller would take the Gateway on",
            example="envoy",
            targets=_KUBERNETES,
            shown="the cluster's only class",
        ),
    )
    gateway_domain: Domain | None = key(
        None,
        "The domain in which environments without a host of their own get one: `NAME-ENVIRONMENT.DOMAIN`. "
        "Several environments can then share the Gateway in `gateway`.",
        KeyDoc(
            expects="a domain in lower case, without a leading dot",
            wrong="the Gateway could not tell the environments apart",
            example="apps.example.com",
            targets=_CLUSTERS,
        ),
    )
    cert_issuer: ObjectName | None = key(
        None,
        "The ClusterIssuer from which cert-manager gets the certificate of the Gateway that curtainup makes. "
        "Plain HTTP then redirects to HTTPS.",
        KeyDoc(
            expects="the name of a ClusterIssuer of cert-manager",
            wrong="browsers could not reach the service over HTTPS",
            example="letsencrypt",
            targets=_KUBERNETES,
            shown="plain HTTP; a Gateway that is there has certificates of its own",
        ),
    )
    image_pull_secret: Placed | None = key(
        None,
        "The Secret with the login to the registry. curtainup copies it into the environment's namespace at "
        "each deployment.",
        KeyDoc(
            expects="NAMESPACE/NAME of a Secret of type kubernetes.io/dockerconfigjson",
            wrong="the cluster could not pull the image",
            example="default/registry-login",
            targets=_CLUSTERS,
            shown="the cluster's nodes can pull by themselves",
        ),
    )
    replicas: Replicas = key(
        2,
        "How many pods each release has; with `max_replicas`, the fewest. A review environment has one.",
        KeyDoc(
            expects="a whole number from 1 to 1000",
            wrong="a node that goes would take the service with it, or you would pay for idle pods",
            example="3",
            targets=_CLUSTERS,
        ),
    )
    max_replicas: Replicas | None = key(
        None,
        "The maximum number of pods of each release. With it, the number of pods follows their load.",
        KeyDoc(
            expects="a whole number from 1 to 1000",
            wrong="the environment could not scale, or would cost more than you meant",
            example="10",
            targets=_CLUSTERS,
            shown="always as many as `replicas`",
        ),
    )
    autoscale_cpu: Annotated[int, Field(ge=1, le=100)] = key(
        70,
        "The load of the pods, in percent of the processors that they ask for, above which there are to be "
        "more.",
        KeyDoc(
            expects="a whole number from 1 to 100",
            wrong="pods would be added too late, or without need",
            example="70",
            targets=_CLUSTERS,
        ),
    )
    run_as_user: Annotated[int, Field(ge=1, le=2_147_483_647)] | None = key(
        None,
        "The id of the user that the container runs as. You need it if the image's own user is root, or has "
        "a name instead of a number: no container runs as root here.",
        KeyDoc(
            expects="a whole number from 1 to 2147483647",
            wrong="the cluster would refuse to start the container",
            example="10001",
            targets=_CLUSTERS,
            shown="the image's own user",
        ),
    )
    read_only: bool = key(
        False,
        "Whether the container's file system is read-only. It can still write to `/tmp`.",
        KeyDoc(
            expects="true or false",
            wrong="the service could not write its files, or an attacker could",
            example="true",
            targets=_CLUSTERS,
        ),
    )
