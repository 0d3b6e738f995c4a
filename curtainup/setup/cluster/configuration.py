"""The configuration of the cluster's parts, as text: the kubelet's, kube-proxy's, containerd's and so on.

The kubelet and kube-proxy read JSON where they read YAML.
"""

from __future__ import annotations

import json

from curtainup.setup.cluster.pieces import PAUSE_IMAGE
from curtainup.setup.cluster.place import DNS_IP, DOMAIN, MIRROR, PODS, Node, Place

CONTAINERD_SOCKET = "/run/containerd/containerd.sock"
DNS_READY_PORT = 8181
KUBELET_PORT = 10248
"""Where the kubelet tells of its health."""

MOST_PODS = 220
"""More than 110, which is usual: the node is one machine with all environments of a test."""


def kubelet(node: Node) -> str:
    """Return the kubelet's: https://kubernetes.io/docs/reference/config-api/kubelet-config.v1beta1/."""
    pki = node.place.certificates
    return json.dumps(
        {
            "apiVersion": "kubelet.config.k8s.io/v1beta1",
            "kind": "KubeletConfiguration",
            "authentication": {
                "anonymous": {"enabled": False},
                "webhook": {"enabled": True},
                "x509": {"clientCAFile": f"{pki}/ca.crt"},
            },
            "authorization": {"mode": "Webhook"},
            "tlsCertFile": f"{pki}/{node.name}-serving.crt",
            "tlsPrivateKeyFile": f"{pki}/{node.name}-serving.key",
            "containerRuntimeEndpoint": f"unix://{CONTAINERD_SOCKET}",
            "cgroupDriver": "cgroupfs",
            "cgroupRoot": node.cgroup,
            "failCgroupV1": False,
            "failSwapOn": False,
            "healthzPort": KUBELET_PORT,
            "oomScoreAdj": 0,  # a lower one takes a capability that root has not everywhere
            "clusterDNS": [DNS_IP],
            "clusterDomain": DOMAIN,
            "resolvConf": f"{node.folder}/resolv.conf",
            "volumePluginDir": f"{node.folder}/volume-plugins",
            "maxPods": MOST_PODS,
            "serializeImagePulls": False,
            # The disk is the whole machine's: that it is nearly full is no reason to remove images or pods.
            "imageGCHighThresholdPercent": 100,
            "imageGCLowThresholdPercent": 99,
            "imageMinimumGCAge": "24h",
            "evictionHard": {"memory.available": "100Mi", "nodefs.available": "500Mi"},
        }
    )


def kube_proxy(place: Place) -> str:
    """Return kube-proxy's; it leaves the settings of conntrack, which a network namespace may not change."""
    return json.dumps(
        {
            "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
            "kind": "KubeProxyConfiguration",
            "clientConnection": {"kubeconfig": f"{place.certificates}/kube-proxy.kubeconfig"},
            "mode": "iptables",
            "clusterCIDR": PODS,
            "oomScoreAdj": 0,
            "conntrack": {
                "maxPerCore": 0,
                "min": 0,
                "tcpEstablishedTimeout": "0s",
                "tcpCloseWaitTimeout": "0s",
            },
            "iptables": {"minSyncPeriod": "0s"},
        }
    )


def coredns(place: Place) -> str:
    """Return CoreDNS's: it knows the cluster's names and no others, as no way leads out."""
    return f"""\
.:53 {{
    errors
    ready 127.0.0.1:{DNS_READY_PORT}
    kubernetes {DOMAIN} in-addr.arpa {{
        kubeconfig {place.certificates}/coredns.kubeconfig curtainup
    }}
    cache 5
}}
"""


def containerd(node: Node, plugins: str, snapshotter: str) -> str:
    """Return containerd's, in the form that its versions 1 and 2 read.

    Args:
        node: the node.
        plugins: the folder of the plugins that connect pods.
        snapshotter: `overlayfs`, or `native` where the file system of the cluster's folder carries no layers.

    """
    return f"""\
version = 2
[grpc]
  address = "{CONTAINERD_SOCKET}"
[plugins."io.containerd.internal.v1.opt"]
  path = "{node.folder}/opt"  # else it makes /opt/containerd
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{PAUSE_IMAGE}"
  disable_apparmor = true        # its profile would be loaded into the machine's kernel
  restrict_oom_score_adj = true  # a lower one takes a capability that root has not everywhere
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "{snapshotter}"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{plugins}"
    conf_dir = "{node.folder}/cni"
  [plugins."io.containerd.grpc.v1.cri".registry]
    config_path = "{node.folder}/registries"
"""


def registries() -> str:
    """Return where containerd asks first, for every registry: https://github.com/containerd/containerd/blob/main/docs/hosts.md."""
    return f'[host."http://{MIRROR}"]\n  capabilities = ["pull", "resolve"]\n'


def pod_network(node: Node) -> str:
    """Return the network of a node's pods: a bridge on it."""
    addresses = {"subnet": node.pods}
    return json.dumps(
        {
            "cniVersion": "1.0.0",
            "name": "pods",
            "plugins": [
                {
                    "type": "bridge",
                    "bridge": "cni0",
                    "isGateway": True,
                    "hairpinMode": True,
                    "ipam": {
                        "type": "host-local",
                        "ranges": [[addresses]],
                        "routes": [{"dst": "0.0.0.0/0"}],
                    },
                },
                {"type": "portmap", "capabilities": {"portMappings": True}},
            ],
        }
    )


def files(node: Node, plugins: str, snapshotter: str) -> dict[str, str]:
    """Return all files of configuration, by their path in the node's folder."""
    return {
        **({"Corefile": coredns(node.place)} if node.is_first else {}),
        "kubelet.json": kubelet(node),
        "kube-proxy.json": kube_proxy(node.place),
        "containerd.toml": containerd(node, plugins, snapshotter),
        "registries/_default/hosts.toml": registries(),
        "cni/10-pods.conflist": pod_network(node),
        "resolv.conf": "",
    }
