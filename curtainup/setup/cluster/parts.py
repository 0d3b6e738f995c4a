"""The command of each part of the cluster; nothing here starts any."""

from __future__ import annotations

from curtainup.setup.cluster.place import (
    API_PORT,
    GATEWAY_PORTS,
    NODE,
    NODE_IP,
    PODS,
    SERVICES,
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
        "containerd": ["containerd", f"--config={place.folder}/containerd.toml"],
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
        "kubelet": [
            *(plan.kube, "kubelet", f"--config={place.folder}/kubelet.json"),
            *(f"--kubeconfig={pki}/kubelet.kubeconfig", f"--node-ip={NODE_IP}"),
            f"--hostname-override={NODE}",
        ],
        "kube-proxy": [
            *(plan.kube, "kube-proxy", f"--config={place.folder}/kube-proxy.json"),
            f"--hostname-override={NODE}",
        ],
        "coredns": [plan.kube, "coredns", "-conf", f"{place.folder}/Corefile"],
    }


def forward(place: Place, plan: Plan, outer: int) -> list[str]:
    """Return the command that leads ports of the machine into the cluster.

    Args:
        place: the cluster's.
        plan: its plan.
        outer: the descriptor of the machine's network namespace.

    """
    ports = {"api": API_PORT, **GATEWAY_PORTS}
    rules = [f"{name}={NODE_IP}:{port}" for name, port in ports.items()]
    return [plan.node, "forward", str(outer), str(place.ports), *rules]


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
