"""Puts the Gateway API, Envoy Gateway and a Gateway on a cluster of curtainup's own."""

from __future__ import annotations

from curtainup.setup.cluster.kubectl import Kubectl, manifest
from curtainup.setup.cluster.pieces import ENVOY_IMAGE, GATEWAY_IMAGE, GatewayPieces
from curtainup.setup.process import Report, run

SYSTEM = "envoy-gateway-system"
NAMESPACE, NAME, CLASS = "gateway", "public", "envoy"
"""Where the Gateway is, what it is called, and the class of those that others make."""


CERTIFICATES_LIMIT = 120.0
"""Seconds that making the certificates may take, by which the gateway's parts trust each other."""


def install(kubectl: Kubectl, made: GatewayPieces, report: Report) -> None:
    """Install the gateway, and wait until it carries traffic.

    Args:
        kubectl: for the cluster.
        made: what it is made of.
        report: gets a line.

    Raises:
        SetupError: the cluster refuses something, or a part does not start.

    """
    report("starting the gateway")
    kubectl.apply(manifest("gateway-namespace.yaml"))
    run(
        [made.program, "certgen", "--disable-topology-injector"],
        "making the gateway's certificates",
        report,
        timeout=CERTIFICATES_LIMIT,
        env={"KUBECONFIG": str(kubectl.kubeconfig), "ENVOY_GATEWAY_NAMESPACE": SYSTEM},
    )
    kubectl.apply(made.kinds.read_text())
    kubectl.apply(_with_images("gateway-controller.yaml"))
    kubectl.apply(_with_images("gateway.yaml"))
    kubectl.wait("deployment/envoy-gateway", "Available", SYSTEM)
    kubectl.wait(f"gateway/{NAME}", "Programmed", NAMESPACE)
    # Envoy Gateway calls a Gateway programmed before its Envoy is ready for traffic.
    kubectl.run(
        *("wait", "deployment", f"--namespace={SYSTEM}", "--for=condition=Available", "--timeout=300s"),
        f"--selector=gateway.envoyproxy.io/owning-gateway-name={NAME}",
    )


def _with_images(name: str) -> str:
    text = manifest(name).replace("IMAGE_OF_GATEWAY", GATEWAY_IMAGE)
    return text.replace("IMAGE_OF_ENVOY", ENVOY_IMAGE)
