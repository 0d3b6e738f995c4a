"""The first process in a cluster's own namespaces: it starts the parts, and starts one again that ends.

`python -m curtainup.setup.cluster.inside FOLDER OUTER`, where OUTER is the descriptor of the machine's
network namespace. This is the first node; other nodes are parts of it. When this process ends, the kernel
ends all that is in the namespaces.
"""

from __future__ import annotations

import os
import socket
import ssl
import sys
from http.client import HTTPConnection, HTTPSConnection
from importlib import resources
from pathlib import Path

from curtainup.errors import SetupError
from curtainup.setup.cluster import isolation, links, machine, parts
from curtainup.setup.cluster.configuration import DNS_READY_PORT
from curtainup.setup.cluster.place import API_PORT, NODE, Node, Place, Plan
from curtainup.setup.cluster.running import FORWARD, Parts, answers, run


def start(place: Place, plan: Plan, outer: int) -> Parts:
    """Start all parts, each once what it needs is ready.

    Raises:
        SetupError: one does not start.

    """
    node = Node(place)
    isolation.mount(node)
    links.first(place)
    own = os.open("/proc/self/ns/net", os.O_RDONLY)
    running = Parts(node.log, outer, own)
    for name, command in parts.first(place, plan).items():
        running.start(name, command)
    running.start_containerd(node, plan)
    running.wait_until("kube-apiserver", lambda: answers(_api_server(place), "/readyz"))
    dns = str(resources.files("curtainup.setup.cluster") / "manifests" / "dns.yaml")
    admin = (f"--kubeconfig={place.certificates}/admin.kubeconfig", f"--cache-dir={place.kubectl_cache}")
    run(plan.kube, "kubectl", *admin, "apply", "--server-side", "--filename", dns)
    for name, command in parts.rest(place, plan).items():
        running.start(name, command)
    running.start(FORWARD, parts.forward(node, plan, outer))
    running.wait_until(FORWARD, node.ports.exists)
    running.wait_until("coredns", lambda: answers(HTTPConnection("127.0.0.1", DNS_READY_PORT), "/ready"))
    running.wait_for_kubelet()
    for one in plan.others(place):
        running.start(one.name, parts.other(one, outer, own))
    for one in plan.others(place):
        running.wait_until(one.name, one.ready.exists)
    return running


def main() -> None:
    """Start the cluster, say so in its folder, and keep it running."""
    place, outer = Place(Path(sys.argv[1])), int(sys.argv[2])
    os.environ["PATH"] = machine.search_path()
    socket.sethostname(NODE)
    try:
        running = start(place, Plan.read(place), outer)
    except (SetupError, OSError) as error:
        place.failed(error)
        raise SystemExit(1) from error
    place.ready.touch()
    running.keep()


def _api_server(place: Place) -> HTTPConnection:
    pki = place.certificates
    trust = ssl.create_default_context(cafile=f"{pki}/ca.crt")
    trust.load_cert_chain(f"{pki}/admin.crt", f"{pki}/admin.key")
    return HTTPSConnection("127.0.0.1", API_PORT, timeout=5, context=trust)


if __name__ == "__main__":
    main()
