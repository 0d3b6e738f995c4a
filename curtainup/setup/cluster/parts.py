"""The command of each part of the cluster; nothing here starts any."""

from __future__ import annotations

import sys

from curtainup.setup.cluster import machine
from curtainup.setup.cluster.place import (
    API_PORT,
    GATEWAY_PORTS,
    NODE_IP,
    PODS,
    SERVICES,
    Node,
    Place,
    Plan,
)

ETCD = "http://127.0.0.1:2379"
ETCD_PEER = "http://127.0.0.1:2380"


def first(place: Place, plan: Plan) -> dict[str, list[str]]:
    """Return by name the commands of what all the others need."""
    return {
        "etcd": [
            *(plan.kube, "etcd", "--name=node", f"--data-dir={place.folder}/etcd"),
            "--unsafe-no-fsync",  # what a crash of the machine loses is lost with the cluster anyway
            "--log-level=warn",
            *(f"--listen-client-urls={ETCD}", f"--advertise-client-urls={ETCD}"),
            *(f"--listen-peer-urls={ETCD_PEER}", f"--initial-advertise-peer-urls={ETCD_PEER}"),
            f"--initial-cluster=node={ETCD_PEER}",
        ],
        "kube-apiserver": _api_server(place, plan),
    }


def rest(place: Place, plan: Plan) -> dict[str, list[str]]:
    """Return by name the commands of what needs the API server."""
    pki = place.certificates
    return {
        "kube-controller-manager": [
            *(plan.kube, "kube-controller-manager", f"--kubeconfig={pki}/kube-controller-manager.kubeconfig"),
            *("--leader-elect=false", "--bind-address=127.0.0.1"),
            *("--allocate-node-cidrs=true", f"--cluster-cidr={PODS}"),
            f"--service-cluster-ip-range={SERVICES}",
            *(f"--service-account-private-key-file={pki}/accounts.key", f"--root-ca-file={pki}/ca.crt"),
            *(f"--cluster-signing-cert-file={pki}/ca.crt", f"--cluster-signing-key-file={pki}/ca.key"),
            "--use-service-account-credentials=true",
        ],
        "kube-scheduler": [
            *(plan.kube, "kube-scheduler", f"--kubeconfig={pki}/kube-scheduler.kubeconfig"),
            *("--leader-elect=false", "--bind-address=127.0.0.1"),
        ],
        **of_node(Node(place), plan),
        "coredns": [plan.kube, "coredns", "-conf", f"{place.folder}/Corefile"],
    }


def containerd(node: Node) -> list[str]:
    """Return the command of what runs a node's containers."""
    return ["containerd", f"--config={node.folder}/containerd.toml"]


def of_node(node: Node, plan: Plan) -> dict[str, list[str]]:
    """Return by name the commands of what each node has, and what needs the API server."""
    pki = node.place.certificates
    return {
        "kubelet": [
            *(plan.kube, "kubelet", f"--config={node.folder}/kubelet.json"),
            *(f"--kubeconfig={pki}/{node.name}.kubeconfig", f"--node-ip={node.ip}"),
            f"--hostname-override={node.name}",
        ],
        "kube-proxy": [
            *(plan.kube, "kube-proxy", f"--config={node.folder}/kube-proxy.json"),
            f"--hostname-override={node.name}",
        ],
    }


def forward(node: Node, plan: Plan, outer: int) -> list[str]:
    """Return the command that leads ports of the machine to the first node, and registries to each.

    Args:
        node: the node.
        plan: the cluster's.
        outer: the descriptor of the machine's network namespace.

    """
    ports = {"api": API_PORT, **GATEWAY_PORTS} if node.is_first else {}
    rules = [f"{name}={node.ip}:{port}" for name, port in ports.items()]
    return [plan.node, "forward", str(outer), str(node.ports), *rules]


def other(node: Node, outer: int, first: int) -> list[str]:
    """Return the command of another node, in namespaces of its own.

    Args:
        node: the node.
        outer: the descriptor of the machine's network namespace.
        first: that of the first node's.

    """
    folder, number = str(node.place.folder), str(node.number)
    inside = [sys.executable, "-P", "-m", "curtainup.setup.cluster.other_node", folder, number]
    return [*machine.APART, *inside, str(outer), str(first)]


def _api_server(place: Place, plan: Plan) -> list[str]:
    pki = place.certificates
    return [
        *(plan.kube, "kube-apiserver", f"--etcd-servers={ETCD}"),
        *(f"--secure-port={API_PORT}", f"--advertise-address={NODE_IP}"),
        *(f"--tls-cert-file={pki}/apiserver.crt", f"--tls-private-key-file={pki}/apiserver.key"),
        *(f"--client-ca-file={pki}/ca.crt", "--authorization-mode=Node,RBAC"),
        *("--enable-admission-plugins=NodeRestriction", "--allow-privileged=true"),
        f"--service-cluster-ip-range={SERVICES}",
        "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
        f"--service-account-key-file={pki}/accounts.pub",
        f"--service-account-signing-key-file={pki}/accounts.key",
        f"--kubelet-client-certificate={pki}/apiserver-kubelet.crt",
        f"--kubelet-client-key={pki}/apiserver-kubelet.key",
        f"--kubelet-certificate-authority={pki}/ca.crt",
        "--kubelet-preferred-address-types=InternalIP",
    ]
