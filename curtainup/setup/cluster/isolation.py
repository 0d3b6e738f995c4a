"""The mounts and links of a cluster, which exist only in its own namespaces and end with them."""

from __future__ import annotations

import subprocess
from pathlib import Path

from curtainup.errors import SetupError
from curtainup.setup import paths
from curtainup.setup.cluster import bridges
from curtainup.setup.cluster.place import NODE_IP, Place

RUN, VAR = Path("/run"), Path("/var")
OWN = {"containerd": "lib/containerd", "kubelet": "lib/kubelet", "pods": "log/pods"}
"""What is kept in the cluster's folder, and where below /var the parts look for it."""

TUNABLES = {
    "vm/overcommit_memory": 1,
    "vm/panic_on_oom": 0,
    "kernel/panic": 10,
    "kernel/panic_on_oops": 1,
    "kernel/keys/root_maxkeys": 1_000_000,
    "kernel/keys/root_maxbytes": 25_000_000,
}
"""Settings of the whole machine's kernel, and what the kubelet would set them to."""

FORWARDING = Path("/proc/sys/net/ipv4/ip_forward")


def mount(place: Place) -> None:
    """Give the cluster folders of its own below /run and /var; the machine's stay as they are.

    Raises:
        SetupError: the kernel refuses a mount.

    """
    _run(
        "mount", "--make-rshared", "/"
    )  # containers share mounts with the kubelet, and nobody with the machine
    _run("mount", "-t", "tmpfs", "-o", "mode=0755", "tmpfs", RUN)
    kept = {folder: RUN / f"kept{number}" for number, folder in enumerate(hidden(place))}
    for folder, meanwhile in kept.items():
        _bind(folder, meanwhile)
    layers = {name: RUN / "var" / name for name in ("upper", "work")}
    for layer in layers.values():
        layer.mkdir(parents=True)
    options = f"lowerdir={VAR},upperdir={layers['upper']},workdir={layers['work']}"
    _run("mount", "-t", "overlay", "-o", options, "overlay", VAR)
    for folder, meanwhile in kept.items():
        _bind(meanwhile, folder)
    for name, below in OWN.items():
        source = place.folder / name
        source.mkdir(exist_ok=True)
        _bind(source, VAR / below)
    _keep_tunables(place)


def hidden(place: Place) -> list[Path]:
    """Return the folders that the cluster needs and would not find below /var, or not as they are.

    A layer on /var shows nothing of what is mounted below it, and takes what is written for itself.
    """
    needed = {place.cache, paths.program_dir().resolve()}
    return sorted(folder for folder in needed if folder.is_relative_to(VAR))


def link() -> None:
    """Give the node its address and the bridge of its pods.

    Raises:
        SetupError: the kernel has no bridges.
        OSError: iptables does not see their traffic.

    """
    _run("ip", "link", "set", "lo", "up")
    # A link to itself, as not every kernel has dummies. Without a default route a connection to a Service's
    # address fails before iptables can lead it elsewhere.
    _run("ip", "link", "add", "node0", "type", "veth", "peer", "name", "node0peer")
    _run("ip", "link", "set", "node0peer", "up")
    _run("ip", "addr", "add", f"{NODE_IP}/32", "dev", "node0")
    _run("ip", "link", "set", "node0", "up")
    _run("ip", "route", "add", "default", "dev", "node0")
    FORWARDING.write_text("1")
    _run("ip", "link", "add", "cni0", "type", "bridge")
    _run("ip", "link", "set", "cni0", "up")
    bridges.switch_on()


def _keep_tunables(place: Place) -> None:
    """Let the kubelet find the settings that it would make, so that it leaves the machine's alone."""
    folder = place.folder / "tunables"
    for name, value in TUNABLES.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{value}\n")
        _run("mount", "--bind", file, f"/proc/sys/{name}")


def _bind(source: Path, target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    _run("mount", "--bind", source, target)


def _run(*command: str | Path) -> None:
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode != 0:
        raise SetupError(
            f"the cluster's namespaces cannot be made: {' '.join(map(str, command))} failed",
            detail=done.stderr.strip(),
        )
