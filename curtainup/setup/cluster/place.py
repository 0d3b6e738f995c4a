"""The folder of one cluster, and the addresses within it, which are those of every cluster."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from curtainup.errors import SetupError
from curtainup.setup import paths

NODE = "node1"
NODE_IP = "192.0.2.1"
"""The first node and its one address, out of a range that is no real network's (https://www.rfc-editor.org/rfc/rfc5737)."""

MOST_NODES = 9
PODS = "10.244.0.0/16"
SERVICES = "10.96.0.0/16"
SERVICE_IP = "10.96.0.1"
DNS_IP = "10.96.0.10"
DOMAIN = "cluster.local"
API_PORT = 6443
MIRROR = "127.0.0.1:5000"
"""Where `node forward` serves the machine's registries: offline/kubernetes/node/mirror.go says so too."""

GATEWAY_PORTS = {"http": 30080}
"""The node's ports that lead to the gateway: manifests/gateway.yaml says so too."""


def clusters() -> Path:
    """Return the folder of all of this user's clusters."""
    return paths.cache_dir().resolve() / "clusters"


@dataclass(frozen=True)
class Place:
    """A cluster's folder, which goes with it.

    Attributes:
        folder: `clusters/ID`.

    """

    folder: Path

    @property
    def id(self) -> str:
        """What tells the cluster from others."""
        return self.folder.name

    @property
    def cache(self) -> Path:
        """The cache, which holds the cluster's pieces too."""
        return self.folder.parent.parent

    @property
    def cgroup(self) -> str:
        """The cgroup of the cluster's pods, in each hierarchy."""
        return f"/curtainup-{self.id}"

    @property
    def lock(self) -> Path:
        """The lock that its keeper holds, beside the folder, so that it outlives it."""
        return self.folder.with_name(f"{self.id}.lock")

    @property
    def log(self) -> Path:
        """The folder of logs, one for each part."""
        return self.folder / "log"

    @property
    def certificates(self) -> Path:
        """The folder of certificates and of the parts' kubeconfigs."""
        return self.folder / "certificates"

    @property
    def kubeconfig(self) -> Path:
        """The kubeconfig of whoever uses the cluster from this machine."""
        return self.folder / "kubeconfig"

    @property
    def kubectl_cache(self) -> Path:
        """The folder of what kubectl remembers of the cluster; else it would do so in the home folder."""
        return self.folder / "kubectl"

    @property
    def pid(self) -> Path:
        """The file with the process id of the keeper."""
        return self.folder / "pid"

    @property
    def detached(self) -> Path:
        """The file that is there if the cluster is to outlive the process that starts it."""
        return self.folder / "detached"

    @property
    def ready(self) -> Path:
        """The file that is there once all parts have started."""
        return self.folder / "ready"

    @property
    def note(self) -> Path:
        """The file that says how the cluster is used, once its gateway is ready too."""
        return self.folder / "cluster.json"

    @property
    def failure_file(self) -> Path:
        """The file that says why the cluster did not start."""
        return self.folder / "failed.json"

    def failed(self, error: Exception) -> None:
        """Note why the cluster did not start."""
        lines = [str(getattr(error, name, None) or "") for name in ("what", "where", "detail")]
        self.failure_file.write_text(json.dumps(lines if any(lines) else [str(error), "", ""]))

    def failure(self) -> SetupError | None:
        """Return why the cluster did not start, if somebody has noted it."""
        return failure(self.failure_file.read_text()) if self.failure_file.exists() else None


@dataclass(frozen=True)
class Node:
    """One node of a cluster.

    Attributes:
        place: the cluster's.
        number: from 1 on. The first has the API server, and all else that a cluster has once.

    """

    place: Place
    number: int = 1

    @property
    def is_first(self) -> bool:
        """Whether it is the one that the others depend on."""
        return self.number == 1

    @property
    def name(self) -> str:
        """What the cluster calls it; and its folder, its logs and its link."""
        return f"node{self.number}"

    @property
    def ip(self) -> str:
        """Its one address."""
        return f"192.0.2.{self.number}"

    @property
    def pods(self) -> str:
        """The addresses of its pods."""
        return f"10.244.{self.number - 1}.0/24"

    @property
    def folder(self) -> Path:
        """The folder of what is its own; the first has the cluster's."""
        return self.place.folder if self.is_first else self.place.folder / self.name

    @property
    def cgroup(self) -> str:
        """The cgroup of its pods; those of the others are below the first one's."""
        return self.place.cgroup if self.is_first else f"{self.place.cgroup}/{self.name}"

    @property
    def log(self) -> Path:
        """The folder of the logs of its parts."""
        return self.place.log if self.is_first else self.place.log / self.name

    @property
    def ports(self) -> Path:
        """The file of the loopback ports that lead to it, by name."""
        return self.folder / "ports.json"

    @property
    def ready(self) -> Path:
        """The file that is there once its parts have started."""
        return self.place.ready if self.is_first else self.folder / "ready"


def every() -> list[Place]:
    """Return the places of all clusters of this user, those that a killed keeper has left included."""
    folder = clusters()
    return [Place(one) for one in sorted(folder.iterdir()) if one.is_dir()] if folder.is_dir() else []


def failure(text: str) -> SetupError:
    """Return the error that a failure's file holds; of nothing, that nobody knows why."""
    what, where, detail = json.loads(text) if text else ("the cluster's keeper has ended", "", "")
    return SetupError(what, where=where or None, consequence="there is no cluster", detail=detail or None)


@dataclass(frozen=True)
class Plan:
    """What the first process in the cluster's namespaces is told.

    Attributes:
        kube: Kubernetes as one program.
        node: what a node needs beside it.
        snapshotter: how containerd keeps what containers change.
        images: archives that it imports.
        nodes: how many nodes there are.

    """

    kube: str
    node: str
    snapshotter: str
    images: tuple[str, ...]
    nodes: int = 1

    def every(self, place: Place) -> list[Node]:
        """Return all nodes."""
        return [Node(place, number) for number in range(1, self.nodes + 1)]

    def others(self, place: Place) -> list[Node]:
        """Return all nodes but the first."""
        return self.every(place)[1:]

    def write(self, place: Place) -> None:
        """Put it into the cluster's folder."""
        (place.folder / "plan.json").write_text(json.dumps(asdict(self)))

    @classmethod
    def read(cls, place: Place) -> Plan:
        """Return that of a cluster's folder."""
        told = json.loads((place.folder / "plan.json").read_text())
        return cls(**{**told, "images": tuple(told["images"])})
