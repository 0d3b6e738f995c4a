"""The first process of a node that is not the first node: it starts the parts, and one again that ends.

`python -m curtainup.setup.cluster.other_node FOLDER NUMBER OUTER FIRST`, where FOLDER is the cluster's, and
the last two are the descriptors of the network namespaces of the machine and of the first node. When this
process ends, the kernel ends all that is on the node, as when a machine loses its power.
"""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

from curtainup.errors import SetupError
from curtainup.setup.cluster import isolation, links, machine, parts
from curtainup.setup.cluster.place import Node, Place, Plan
from curtainup.setup.cluster.running import FORWARD, Parts


def start(node: Node, plan: Plan, outer: int, first: int) -> Parts:
    """Start all parts of a node.

    Raises:
        SetupError: one does not start.

    """
    isolation.mount(node)
    links.other(node, first)
    running = Parts(node.log, outer)
    running.start_containerd(node, plan)
    running.start(FORWARD, parts.forward(node, plan, outer))
    running.wait_until(FORWARD, node.ports.exists)
    for name, command in parts.of_node(node, plan).items():
        running.start(name, command)
    running.wait_for_kubelet()
    return running


def main() -> None:
    """Start the node, say so in its folder, and keep it running."""
    node, outer, first = Node(Place(Path(sys.argv[1])), int(sys.argv[2])), int(sys.argv[3]), int(sys.argv[4])
    os.environ["PATH"] = machine.search_path()
    socket.sethostname(node.name)
    try:
        running = start(node, Plan.read(node.place), outer, first)
    except (SetupError, OSError) as error:
        sys.exit(f"{error}\n{getattr(error, 'detail', None) or ''}")
    node.ready.touch()
    running.keep()


if __name__ == "__main__":
    main()
