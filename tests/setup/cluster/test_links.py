"""The links of two nodes, in real network namespaces; needs root, and the kernel's module for bridges."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from curtainup.setup.cluster import machine

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0
    or not all(map(shutil.which, ("unshare", "nsenter", "ip")))
    or not machine.BRIDGES.is_dir(),
    reason="needs root, unshare, and br_netfilter",
)

NODES = """
import os, socket, subprocess, sys
from pathlib import Path
from curtainup.setup.cluster import links, machine
from curtainup.setup.cluster.place import Node, Place

place = Place(Path("/clusters/1"))
first, other = Node(place), Node(place, 2)
if sys.argv[1:] == []:
    links.first(place)
    served = socket.create_server((first.ip, 8000))
    own = os.open("/proc/self/ns/net", os.O_RDONLY)
    for start in ("first", "second"):
        again = [*machine.APART, sys.executable, "-P", __file__, str(own)]
        with subprocess.Popen(again, pass_fds=(own,)) as node:
            connection, (came, _) = served.accept()
            print(start, came, connection.recv(100).decode(), flush=True)
            connection.close()
else:
    links.other(other, int(sys.argv[1]))
    with socket.create_connection((first.ip, 8000), timeout=20) as connection:
        way = ["nsenter", f"--net=/proc/self/fd/{sys.argv[1]}", "ip", "route", "show", other.pods]
        found = subprocess.run(way, capture_output=True, text=True, pass_fds=(int(sys.argv[1]),))
        connection.sendall(found.stdout.strip().encode())
"""


def test_a_node_reaches_the_first_one_and_does_so_again_once_it_was_lost(tmp_path: Path) -> None:
    script = tmp_path / "nodes.py"
    script.write_text(NODES)
    done = subprocess.run(
        [*machine.APART, sys.executable, "-P", str(script)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    way = "10.244.1.0/24 via 192.0.2.2 dev node2"
    assert done.stdout.splitlines() == [f"first 192.0.2.2 {way}", f"second 192.0.2.2 {way}"]
