"""The links of a node, which exist only in its own network namespace and end with it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

from curtainup.errors import SetupError
from curtainup.setup.cluster import bridges
from curtainup.setup.cluster.isolation import run
from curtainup.setup.cluster.place import Node, Place

LINK, PODS = "node0", "cni0"
"""What each node calls its own link, and the bridge of its pods."""

FORWARDING = Path("/proc/sys/net/ipv4/ip_forward")
LIMIT, PAUSE = 30.0, 0.1
"""Seconds until the kernel has let go of the link of a node that has ended, and between two tries."""


def first(place: Place) -> None:
    """Give the first node its address and the bridge of its pods.

    Raises:
        SetupError: the kernel has no bridges.
        OSError: iptables does not see their traffic.

    """
    run("ip", "link", "set", "lo", "up")
    # A link to itself, as not every kernel has dummies. Without a default route a connection to a Service's
    # address fails before iptables can lead it elsewhere.
    run("ip", "link", "add", LINK, "type", "veth", "peer", "name", f"{LINK}peer")
    run("ip", "link", "set", f"{LINK}peer", "up")
    run("ip", "addr", "add", f"{Node(place).ip}/32", "dev", LINK)
    run("ip", "link", "set", LINK, "up")
    run("ip", "route", "add", "default", "dev", LINK)
    _bridge()


def other(node: Node, outside: int) -> None:
    """Link another node to the first one, by which it reaches all the others too.

    Args:
        node: whose namespace this process is the first in.
        outside: the descriptor of the first node's network namespace.

    Raises:
        SetupError: the kernel refuses a link.
        OSError: iptables does not see the pods' traffic.

    """
    hub = Node(node.place).ip

    def there(*command: str) -> None:
        run("nsenter", f"--net=/proc/self/fd/{outside}", "ip", *command, given=(outside,))

    run("ip", "link", "set", "lo", "up")
    ours = ("type", "veth", "peer", "name", LINK, "netns", str(os.getpid()))
    _patiently(lambda: there("link", "add", node.name, *ours))
    run("ip", "addr", "add", f"{node.ip}/32", "dev", LINK)
    run("ip", "link", "set", LINK, "up")
    run("ip", "route", "add", f"{hub}/32", "dev", LINK)
    run("ip", "route", "add", "default", "via", hub, "dev", LINK)
    there("link", "set", node.name, "up")
    there("route", "add", f"{node.ip}/32", "dev", node.name, "src", hub)
    there("route", "add", node.pods, "via", node.ip, "dev", node.name)
    _bridge()


def _bridge() -> None:
    FORWARDING.write_text("1")
    run("ip", "link", "add", PODS, "type", "bridge")
    run("ip", "link", "set", PODS, "up")
    bridges.switch_on()


def _patiently(make: Callable[[], None]) -> None:
    """Make a link; one of the same name goes a moment after the node that had it."""
    deadline = time.monotonic() + LIMIT
    while True:
        try:
            return make()
        except SetupError:
            if time.monotonic() > deadline:
                raise
            time.sleep(PAUSE)
