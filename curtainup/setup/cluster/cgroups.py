"""The cgroups of a cluster's pods, which the kubelet wants to find and nobody else removes."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")
CPUSET = ("cpuset.cpus", "cpuset.mems")
NEEDED = frozenset(("cpu", "cpuset", "memory", "pids"))
"""The controllers that the kubelet asks for with cgroup v2."""

CONTROLLERS = ("cpuset", "cpu", "memory", "pids", "hugetlb", "io")
PATIENCE, PAUSE = 30.0, 0.05
"""Seconds until the kernel has let go of processes that were killed, and between two looks."""


def hierarchies(root: Path = ROOT) -> list[Path]:
    """Return where hierarchies are mounted: one with cgroup v2, one for each controller with v1."""
    if (root / "cgroup.controllers").is_file():
        return [root]
    mounted = {one.resolve() for one in root.iterdir() if (one / "cgroup.procs").is_file()}
    return sorted(mounted)


def unfit(root: Path = ROOT) -> list[str]:
    """Return for people why the pods of a cluster cannot have cgroups here; nothing if they can."""
    found = hierarchies(root) if root.is_dir() else []
    if not found or not all(os.access(one, os.W_OK) for one in found):
        return [f"it needs cgroups that it may change, in {root}, which few containers have"]
    if found != [root]:
        return []
    lacking = NEEDED - set((root / _offering(root)).read_text().split())
    return [f"it needs the cgroup controllers {', '.join(sorted(lacking))}"] if lacking else []


def _offering(root: Path) -> str:
    """Return the file of the controllers that cgroups below a root of v2 can get.

    Where processes are in a root that is not the machine's, as in a container, it passes on no others
    (https://docs.kernel.org/admin-guide/cgroup-v2.html#no-internal-process-constraint).
    """
    is_within = (root / "cgroup.type").exists() and (root / "cgroup.procs").read_text().strip()
    return "cgroup.subtree_control" if is_within else "cgroup.controllers"


def make(name: str, root: Path = ROOT) -> None:
    """Make a cgroup in each hierarchy; a new cpuset of v1 is empty, and gets what the machine has.

    What it is below is there already.
    """
    for hierarchy in hierarchies(root):
        folder = hierarchy / name.strip("/")
        if hierarchy == root:
            for above in reversed(folder.relative_to(root).parents):
                _pass_on(root / above)
        folder.mkdir(exist_ok=True)
        for file in CPUSET:
            if hierarchy != root and (hierarchy / file).is_file():
                (folder / file).write_text((hierarchy / file).read_text())


def remove(name: str, root: Path = ROOT) -> None:
    """Remove a cgroup and those below it, once their processes are gone."""
    deadline = time.monotonic() + PATIENCE
    for hierarchy in hierarchies(root):
        folder = hierarchy / name.strip("/")
        while folder.is_dir() and time.monotonic() < deadline:
            _remove(folder)
            if folder.is_dir():
                time.sleep(PAUSE)


def _remove(folder: Path) -> None:
    """Remove those at the bottom first; the files in a cgroup go with it."""
    below = sorted((one for one in folder.rglob("*") if one.is_dir()), key=lambda one: len(one.parts))
    for one in (*reversed(below), folder):
        with contextlib.suppress(OSError):
            one.rmdir()


def _pass_on(above: Path) -> None:
    """Let the cgroups below one of v2 have controllers; a machine may lack one of them."""
    for controller in CONTROLLERS:
        with contextlib.suppress(OSError):
            (above / "cgroup.subtree_control").write_text(f"+{controller}")
