"""Nodes of a cluster that are lost, or take no pods."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import psutil

from tests.e2e.kube_cluster import api_server, kubectl

if TYPE_CHECKING:
    from curtainup.setup.cluster.models import Cluster

NODES = 3


def until(happened: Callable[[], Any]) -> None:
    deadline = time.monotonic() + 300
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.3)


def is_ready(cluster: Cluster, node: str) -> bool:
    path = "jsonpath={.status.conditions[?(@.type=='Ready')].status}"
    return kubectl(cluster, "get", "node", node, "--output", path) == "True"


@contextmanager
def kubelet_stopped(cluster: Cluster, node: str) -> Iterator[None]:
    """Have nobody on a node speak with the cluster while a block runs; what runs there goes on."""
    [kubelet] = [
        one
        for one in psutil.process_iter(["cmdline"])
        if f"{cluster.id}/{node}/kubelet.json" in " ".join(one.info["cmdline"] or [])
    ]
    kubelet.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        kubelet.send_signal(signal.SIGCONT)
        until(lambda: is_ready(cluster, node))


@contextmanager
def cut_off(cluster: Cluster, node: str) -> Iterator[None]:
    """Let nothing come to a node, or from it, while a block runs, as if it had no power."""
    place = ("nsenter", f"--net=/proc/{api_server(cluster).pid}/ns/net", "iptables")
    rules = (("INPUT", "-i"), ("FORWARD", "-i"), ("OUTPUT", "-o"), ("FORWARD", "-o"))
    for chain, side in rules:
        subprocess.run([*place, "-I", chain, side, node, "-j", "DROP"], check=True)
    try:
        yield
    finally:
        for chain, side in rules:
            subprocess.run([*place, "-D", chain, side, node, "-j", "DROP"], check=True)
        until(lambda: is_ready(cluster, node))


@contextmanager
def only(cluster: Cluster, node: str) -> Iterator[None]:
    """Let new pods go to one node alone while a block runs."""
    others = [f"node{number}" for number in range(1, NODES + 1) if f"node{number}" != node]
    kubectl(cluster, "cordon", *others)
    try:
        yield
    finally:
        kubectl(cluster, "uncordon", *others)
