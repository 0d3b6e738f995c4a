"""The processes of a node: started, waited for, and started again."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from curtainup.errors import SetupError
from curtainup.setup.cluster import parts
from curtainup.setup.cluster.configuration import CONTAINERD_SOCKET, KUBELET_PORT
from curtainup.setup.cluster.place import Node, Plan
from curtainup.setup.process import last_lines

START_LIMIT = 300.0
"""Seconds within which each part must have started. On an idle machine all of them take ten."""

FORWARD = "forward"
"""The part that connects the machine with the cluster."""

NODES = "node"
"""What the names of parts begin with that are other nodes."""

PAUSE, AGAIN = 0.05, 1.0
"""Seconds between two looks, and before a part is started again."""


class Parts:
    """The processes of a node, each with a log."""

    def __init__(self, log: Path, outer: int, *given: int) -> None:
        """Begin without any.

        Args:
            log: the folder of their logs.
            outer: the descriptor of the machine's network namespace.
            given: those that another node gets.

        """
        log.mkdir(exist_ok=True)
        self._log = log
        self._outer = outer
        self._of_nodes = given
        self._running: dict[int, tuple[str, list[str]]] = {}
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, command: list[str]) -> None:
        """Start a part."""
        with (self._log / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, pass_fds=self._given(name)
            )
        self._processes[name] = process
        self._running[process.pid] = name, command

    def wait_until(self, name: str, is_so: Callable[[], bool]) -> None:
        """Wait until a part does its work.

        Raises:
            SetupError: one has ended, or it takes too long.

        """
        deadline = time.monotonic() + START_LIMIT
        while not is_so():
            ended = [one for one, process in self._processes.items() if process.poll() is not None]
            if ended:
                raise self._failed(ended[0], "ended while the cluster was starting")
            if time.monotonic() > deadline:
                raise self._failed(name, f"was not ready after {START_LIMIT:.0f} s")
            time.sleep(PAUSE)

    def start_containerd(self, node: Node, plan: Plan) -> None:
        """Start what runs a node's containers, and give it the images that a cluster has from its beginning.

        Raises:
            SetupError: it does not start, or an image is broken.

        """
        self.start("containerd", parts.containerd(node))
        self.wait_until("containerd", Path(CONTAINERD_SOCKET).exists)
        importing = ("ctr", "--address", CONTAINERD_SOCKET, "--namespace", "k8s.io", "images", "import")
        for image in plan.images:
            run(*importing, "--snapshotter", plan.snapshotter, image)

    def wait_for_kubelet(self) -> None:
        """Wait until the kubelet does its work.

        Raises:
            SetupError: it has ended, or it takes too long.

        """
        self.wait_until("kubelet", lambda: answers(HTTPConnection("127.0.0.1", KUBELET_PORT), "/healthz"))

    def keep(self) -> None:
        """Start each part again that ends, for ever; reap what nobody else reaps."""
        while True:
            pid, status = os.wait()
            if pid in self._running:
                name, command = self._running.pop(pid)
                print(f"{name} ended with {os.waitstatus_to_exitcode(status)}: starting it again", flush=True)
                time.sleep(AGAIN)
                self.start(name, command)

    def _given(self, name: str) -> tuple[int, ...]:
        """Return the descriptors that a part gets: one only may leave the node's network."""
        if name.startswith(NODES):
            return (self._outer, *self._of_nodes)
        return (self._outer,) if name == FORWARD else ()

    def _failed(self, name: str, what: str) -> SetupError:
        log = self._log / f"{name}.log"
        return SetupError(
            f"{name} {what}", where=str(log), detail=last_lines(log.read_text(errors="replace"))
        )


def answers(connection: HTTPConnection, path: str) -> bool:
    """Ask a part whether it is ready for everything."""
    try:
        connection.request("GET", path)
        return connection.getresponse().status == HTTPStatus.OK
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def run(*command: str) -> None:
    """Run a command.

    Raises:
        SetupError: it failed.

    """
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode != 0:
        raise SetupError(f"{' '.join(command)} failed", detail=last_lines(done.stdout + done.stderr))
