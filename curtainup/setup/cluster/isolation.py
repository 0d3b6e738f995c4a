"""The mounts of a node, which exist only in its own namespaces and end with them."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

from curtainup.errors import SetupError
from curtainup.setup import paths
from curtainup.setup.cluster.place import Node, Place

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


def mount(node: Node) -> None:
    """Give a node folders of its own below /run and /var; the machine's stay as they are.

    Raises:
        SetupError: the kernel refuses a mount.

    """
    run(
        "mount", "--make-rshared", "/"
    )  # containers share mounts with the kubelet, and nobody with the machine
    run("mount", "-t", "tmpfs", "-o", "mode=0755", "tmpfs", RUN)
    kept = {folder: RUN / f"kept{number}" for number, folder in enumerate(hidden(node.place))}
    for folder, meanwhile in kept.items():
        _bind(folder, meanwhile)
    layers = {name: RUN / "var" / name for name in ("upper", "work")}
    for layer in layers.values():
        layer.mkdir(parents=True)
    options = f"lowerdir={VAR},upperdir={layers['upper']},workdir={layers['work']}"
    run("mount", "-t", "overlay", "-o", options, "overlay", VAR)
    for folder, meanwhile in kept.items():
        _bind(meanwhile, folder)
    for name, below in OWN.items():
        source = node.folder / name
        source.mkdir(exist_ok=True)
        _bind(source, VAR / below)
    _keep_tunables(node)


def hidden(place: Place) -> list[Path]:
    """Return the folders that the cluster needs and would not find below /var, or not as they are.

    A layer on /var shows nothing of what is mounted below it, and takes what is written for itself.
    """
    needed = {place.cache, paths.program_dir().resolve()}
    return sorted(folder for folder in needed if folder.is_relative_to(VAR))


def _keep_tunables(node: Node) -> None:
    """Let the kubelet find the settings that it would make, so that it leaves the machine's alone."""
    folder = node.folder / "tunables"
    for name, value in TUNABLES.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{value}\n")
        run("mount", "--bind", file, f"/proc/sys/{name}")


def _bind(source: Path, target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    run("mount", "--bind", source, target)


def run(*command: str | Path, given: Sequence[int] = ()) -> None:
    """Run a command that changes this process's namespaces, or others.

    Args:
        command: the command.
        given: the descriptors that it gets.

    Raises:
        SetupError: it failed.

    """
    done = subprocess.run(command, check=False, capture_output=True, text=True, pass_fds=given)
    if done.returncode != 0:
        raise SetupError(
            f"the cluster's namespaces cannot be made: {' '.join(map(str, command))} failed",
            detail=done.stderr.strip(),
        )
