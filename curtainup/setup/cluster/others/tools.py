"""The command lines of kind and k3d; nothing here runs any.

They follow https://kind.sigs.k8s.io/docs/user/local-registry/ and https://k3d.io/stable/usage/registries/.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

NAME = "curtainup"
"""What a cluster of theirs is called that curtainup uses or makes."""
CREATE_SECONDS = 300
"""Seconds that a cluster may take, which pulls an image of several hundred MB first."""

Argv = Sequence[str | Path]


@dataclass(frozen=True)
class Tool:
    """A program that runs a cluster in Docker containers.

    Attributes:
        name: of the program.
        context: which it gives the cluster called `NAME` in a kubeconfig.
        network: the Docker network of that cluster's nodes.
        node: the container of its only node.
        settings: returns the text of the file that a new cluster is made by, for a registry at an address of
            this machine that is reached at another within the network.
        creating: returns the command that makes it, with the file of settings, and a kubeconfig to write.
        listing: the command that prints which clusters there are.
        names: reads them out of what it prints.
        kubeconfig: the command that prints how the cluster is reached.
        deleting: the command that removes the cluster.
        pulls_by_folder: whether the node reads which registries there are from `HOSTS`.

    """

    name: str
    context: str
    network: str
    node: str
    settings: Callable[[str, str], str]
    creating: Callable[[Path, Path], Argv]
    listing: Argv
    names: Callable[[str], list[str]]
    kubeconfig: Argv
    deleting: Callable[[Path], Argv]
    pulls_by_folder: bool


HOSTS = "/etc/containerd/certs.d"
"""Where a node of kind finds which registries there are, one folder for each."""


def hosts(inside: str) -> str:
    """Return the file that leads a node's pulls to a registry on its network."""
    return f'[host."{inside}"]\n  capabilities = ["pull", "resolve"]\n'


def _kind_settings(_address: str, _inside: str) -> str:
    """Let nodes read `HOSTS`, which those of kind 0.27 and later do by themselves."""
    return (
        "kind: Cluster\n"
        "apiVersion: kind.x-k8s.io/v1alpha4\n"
        "containerdConfigPatches:\n"
        "  - |-\n"
        '    [plugins."io.containerd.grpc.v1.cri".registry]\n'
        f'      config_path = "{HOSTS}"\n'
    )


def _k3d_settings(address: str, inside: str) -> str:
    """Return k3s's file of registries: https://docs.k3s.io/installation/private-registry."""
    return json.dumps({"mirrors": {address: {"endpoint": [inside]}}})


def _kind_creating(settings: Path, kubeconfig: Path) -> Argv:
    wait = f"{CREATE_SECONDS // 2}s"
    where = ("--config", settings, "--kubeconfig", kubeconfig)
    return ("kind", "create", "cluster", "--name", NAME, *where, "--wait", wait)


def _k3d_creating(settings: Path, _kubeconfig: Path) -> Argv:
    mine = ("--kubeconfig-update-default=false", "--kubeconfig-switch-context=false")
    small = ("--no-lb", "--k3s-arg=--disable=traefik@server:0")
    limit = ("--wait", "--timeout", f"{CREATE_SECONDS - 30}s")
    return ("k3d", "cluster", "create", NAME, "--registry-config", settings, *mine, *small, *limit)


def _k3d_names(said: str) -> list[str]:
    listed = json.loads(said or "[]")
    return [str(one.get("name")) for one in listed or () if isinstance(one, dict)]


KIND = Tool(
    name="kind",
    context=f"kind-{NAME}",
    network="kind",
    node=f"{NAME}-control-plane",
    settings=_kind_settings,
    creating=_kind_creating,
    listing=("kind", "get", "clusters"),
    names=str.split,
    kubeconfig=("kind", "get", "kubeconfig", "--name", NAME),
    deleting=lambda kubeconfig: ("kind", "delete", "cluster", "--name", NAME, "--kubeconfig", kubeconfig),
    pulls_by_folder=True,
)
K3D = Tool(
    name="k3d",
    context=f"k3d-{NAME}",
    network=f"k3d-{NAME}",
    node=f"k3d-{NAME}-server-0",
    settings=_k3d_settings,
    creating=_k3d_creating,
    listing=("k3d", "cluster", "list", "--output", "json"),
    names=_k3d_names,
    kubeconfig=("k3d", "kubeconfig", "get", NAME),
    deleting=lambda _kubeconfig: ("k3d", "cluster", "delete", NAME),
    pulls_by_folder=False,
)
TOOLS = (KIND, K3D)
