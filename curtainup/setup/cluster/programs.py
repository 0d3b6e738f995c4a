"""The programs of curtainup's own cluster, which set-up builds from Go modules."""

from __future__ import annotations

from curtainup.setup import paths, versions
from curtainup.setup.go_build import Program

_KUBERNETES_VERSION = "k8s.io/component-base/version"
_GATEWAY_VERSION = "github.com/envoyproxy/gateway/internal/cmd/version.envoyGatewayVersion"
GATEWAY_MODULE = "github.com/envoyproxy/gateway"


def kube() -> Program:
    """Return Kubernetes with etcd, CoreDNS and kubectl, as one program."""
    major, minor, _ = versions.KUBERNETES.split(".")
    return Program(
        name="kube",
        title=f"Kubernetes {versions.KUBERNETES}",
        version=versions.KUBERNETES,
        module=paths.offline_sources() / "kubernetes" / "kube",
        package=".",
        variables={
            f"{_KUBERNETES_VERSION}.gitVersion": f"v{versions.KUBERNETES}",
            f"{_KUBERNETES_VERSION}.gitMajor": major,
            f"{_KUBERNETES_VERSION}.gitMinor": minor,
        },
        minutes="10 minutes on two cores",
    )


def gateway() -> Program:
    """Return Envoy Gateway."""
    return Program(
        name="envoy-gateway",
        title=f"Envoy Gateway {versions.ENVOY_GATEWAY}",
        version=versions.ENVOY_GATEWAY,
        module=paths.offline_sources() / "kubernetes" / "gateway",
        package=f"{GATEWAY_MODULE}/cmd/envoy-gateway",
        variables={_GATEWAY_VERSION: f"v{versions.ENVOY_GATEWAY}"},
        minutes="6 minutes on two cores",
    )


def node() -> Program:
    """Return what a node needs beside Kubernetes."""
    return Program(
        name="cluster-node",
        title="the cluster's own parts",
        version=versions.CLUSTER_NODE,
        module=paths.offline_sources() / "kubernetes" / "node",
        package=".",
        variables={"main.version": versions.CLUSTER_NODE},
        minutes="seconds",
    )
