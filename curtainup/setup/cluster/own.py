"""Starts and stops clusters of curtainup's own, each in its own namespaces, several at once if need be."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import filelock

from curtainup.errors import SetupError
from curtainup.setup.cluster import bridges, configuration, gateway, keeper, machine, pieces
from curtainup.setup.cluster.kubectl import Kubectl
from curtainup.setup.cluster.models import Cluster, Gateway, note
from curtainup.setup.cluster.pieces import Pieces
from curtainup.setup.cluster.place import (
    API_PORT,
    NODE_IP,
    SERVICE_IP,
    Node,
    Place,
    Plan,
    clusters,
    every,
    failure,
)
from curtainup.setup.process import Report, last_lines, run
from curtainup.util import mounts

START_LIMIT = 600.0
"""Seconds within which a cluster must have started. On an idle machine it takes 15."""

STOP_LIMIT = 60.0
"""Seconds within which its keeper must have removed it."""

PAUSE = 0.05
"""Seconds between two looks."""

LAYERED = ("ext4", "xfs", "btrfs", "tmpfs")
"""File systems that can be the upper one of an overlay; one of a network, or an overlay itself, cannot."""

CONTEXT = "curtainup"
LIST = "python -m curtainup.setup.cluster list"


@dataclass(frozen=True)
class Kept:
    """A cluster with its keeper.

    Attributes:
        place: the cluster's.
        process: the keeper, or what has started it.
        leash: the cluster ends when this is closed, unless it is detached.
        said: what the keeper says.

    """

    place: Place
    process: subprocess.Popen[str]
    leash: IO[str]
    said: IO[str]


@contextmanager
def running(report: Report, *, with_gateway: bool = True, nodes: int = 1) -> Iterator[Cluster]:
    """Give a cluster until the block ends, or this process does, however that happens.

    Args:
        report: gets a line for each thing that is done.
        with_gateway: whether it has a Gateway; one without starts in half the time.
        nodes: how many nodes it has.

    Raises:
        SetupError: this machine cannot run it, a piece cannot be made, or it does not start.

    """
    made = pieces.ensure(report, gateway=with_gateway)
    kept = _start(made, report, nodes, detached=False)
    with kept.process, kept.leash:
        _wait(kept)
        yield _ready(kept.place, made, report)


def up(report: Report, *, with_gateway: bool = True, nodes: int = 1) -> Cluster:
    """Start a cluster that stays until `down`.

    Raises:
        SetupError: as `running`.

    """
    made = pieces.ensure(report, gateway=with_gateway)
    kept = _start(made, report, nodes, detached=True)
    try:
        with kept.process:
            _wait(kept)
        return _ready(kept.place, made, report)
    except BaseException:
        _stop(kept.place)
        raise


def down(place: Place) -> None:
    """Stop a cluster, and wait until nothing of it is left.

    Raises:
        SetupError: there is none, or its keeper does not end.

    """
    if place not in every():
        raise SetupError(f"there is no cluster {place.folder.name}", where=str(clusters()), fix=LIST)
    _stop(place)


def lasting() -> list[Place]:
    """Return the places of the clusters that `up` has started; the others end with those who use them."""
    return [place for place in every() if place.detached.exists()]


def sweep() -> None:
    """Remove what clusters have left whose keepers were killed."""
    with _no_birth():
        _sweep()


def _sweep() -> None:
    for place in every():
        _cleared(place)


def _stop(place: Place) -> None:
    with _no_birth():
        if _cleared(place):
            return
    keeping = _ended(place)
    lock = filelock.FileLock(place.lock)
    try:
        lock.acquire(timeout=STOP_LIMIT)
    except filelock.Timeout as error:
        raise SetupError(
            f"the cluster {place.id} does not stop",
            where=f"process {keeping}" if keeping else str(place.lock),
            fix=f"kill -9 {keeping}" if keeping else LIST,
        ) from error
    try:
        keeper.remove(place)
    finally:
        lock.release()


def _cleared(place: Place) -> bool:
    """Remove what a cluster has left if it has no keeper; nobody else may be starting it meanwhile."""
    try:
        with filelock.FileLock(place.lock).acquire(timeout=0):
            keeper.remove(place)
    except filelock.Timeout:
        return False
    return True


def _ended(place: Place) -> int | None:
    """Ask a cluster's keeper to end, and return its process id; None if it is gone already.

    The descriptor stays that of the process that was looked at, even if its id becomes that of another.
    """
    with contextlib.suppress(OSError, ValueError):
        pid = int(place.pid.read_text())
        process = os.pidfd_open(pid)
        try:
            if os.fsencode(place.folder) in Path(f"/proc/{pid}/cmdline").read_bytes():
                signal.pidfd_send_signal(process, signal.SIGTERM)
                return pid
        finally:
            os.close(process)
    return None


def _no_birth() -> filelock.BaseFileLock:
    """Return the lock that is held while a cluster has a folder, but no keeper yet."""
    clusters().mkdir(parents=True, exist_ok=True)
    return filelock.FileLock(clusters() / ".lock")


def _start(made: Pieces, report: Report, nodes: int, *, detached: bool) -> Kept:
    """Start a keeper, and wait until it holds the lock by which everybody knows that its cluster runs."""
    bridges.load()
    with _no_birth():
        _sweep()
        place = _laid_out(made, nodes)
        if detached:
            place.detached.touch()
        report(f"starting Kubernetes in {place.folder}")
        kept = _keeper(place, detached=detached)
        if kept.said.readline().strip() != keeper.READY:
            kept.process.communicate()
            detail = last_lines((place.log / "keeper.log").read_text())
            keeper.remove(place)
            raise SetupError("the cluster cannot be kept", consequence="there is no cluster", detail=detail)
    return kept


def _keeper(place: Place, *, detached: bool) -> Kept:
    options = ["--detached"] if detached else []
    with (place.log / "keeper.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "curtainup.setup.cluster.keeper", str(place.folder), *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            start_new_session=True,
        )
    assert process.stdin is not None  # noqa: S101 - both are asked for above
    assert process.stdout is not None  # noqa: S101
    return Kept(place, process, process.stdin, process.stdout)


def _laid_out(made: Pieces, nodes: int) -> Place:
    """Make the folder of a new cluster, with its certificates and configuration."""
    place = Place(clusters() / secrets.token_hex(4))
    place.folder.mkdir(mode=0o700)
    place.log.mkdir()
    plugins = machine.plugin_folder()
    assert plugins is not None  # noqa: S101 - `pieces.ensure` has asked for it
    snapshotter = _snapshotter(mounts.file_system(place.folder))
    plan = Plan(str(made.kube), str(made.node), snapshotter, tuple(map(str, made.images)), nodes)
    every_node = plan.every(place)
    for node in every_node:
        for name, text in configuration.files(node, str(plugins), snapshotter).items():
            file = node.folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
    addresses = [f"{node.name}={node.ip}" for node in every_node]
    run(
        [made.node, "certificates", place.certificates, SERVICE_IP, *addresses],
        "making the cluster's certificates",
        lambda _: None,
        timeout=60,
    )
    plan.write(place)
    return place


def _snapshotter(file_system: str | None) -> str:
    """Return how containerd keeps what containers change: by layers where they are known to work."""
    return "overlayfs" if file_system in LAYERED else "native"


def _wait(kept: Kept) -> None:
    """Wait until all parts have started; the keeper says no more unless one does not."""
    deadline = time.monotonic() + START_LIMIT
    while not kept.place.ready.exists():
        if select.select([kept.said], [], [], PAUSE)[0]:
            raise failure(kept.said.readline())
        if time.monotonic() > deadline:
            log = str(kept.place.log / "node.log")
            raise SetupError(f"the cluster was not ready after {START_LIMIT:.0f} s", where=log)


def _ready(place: Place, made: Pieces, report: Report) -> Cluster:
    """Return a cluster whose parts have started, once its node and gateway are ready."""
    ports = json.loads(Node(place).ports.read_text())
    admin = (place.certificates / "admin.kubeconfig").read_text()
    place.kubeconfig.touch(mode=0o600)
    place.kubeconfig.write_text(admin.replace(f"{NODE_IP}:{API_PORT}", f"127.0.0.1:{ports['api']}"))
    kubectl = Kubectl((made.kube, "kubectl", f"--cache-dir={place.kubectl_cache}"), place.kubeconfig)
    for node in Plan.read(place).every(place):
        kubectl.wait(f"node/{node.name}", "Ready")
    found = None
    if made.gateway is not None:
        gateway.install(kubectl, made.gateway, report)
        found = Gateway(gateway.NAMESPACE, gateway.NAME, gateway.CLASS, f"http://127.0.0.1:{ports['http']}")
    command = tuple(map(str, kubectl.command))
    cluster = Cluster(str(place.kubeconfig), CONTEXT, found, command, place.id, place.folder)
    note(place, cluster)
    return cluster
