"""The first process in a cluster's own namespaces: it starts the parts, and starts one again that ends.

`python -m curtainup.setup.cluster.inside FOLDER OUTER`, where OUTER is the descriptor of the machine's
network namespace. When this process ends, the kernel ends all that is in the namespaces.
"""

from __future__ import annotations

import os
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from importlib import resources
from pathlib import Path

from curtainup.errors import SetupError
from curtainup.setup.cluster import isolation, machine, parts
from curtainup.setup.cluster.configuration import CONTAINERD_SOCKET, DNS_READY_PORT, KUBELET_PORT
from curtainup.setup.cluster.place import API_PORT, NODE, Place, Plan
from curtainup.setup.process import last_lines

START_LIMIT = 300.0
"""Seconds within which each part must have started. On an idle machine all of them take ten."""

FORWARD = "forward"
"""The part that connects the machine with the cluster."""

PAUSE, AGAIN = 0.05, 1.0
"""Seconds between two looks, and before a part is started again."""


class Parts:
    """The processes of the cluster, each with a log."""

    def __init__(self, place: Place, outer: int) -> None:
        self._place = place
        self._outer = outer
        self._running: dict[int, tuple[str, list[str]]] = {}
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, command: list[str]) -> None:
        """Start a part."""
        with (self._place.log / f"{name}.log").open("ab") as log:
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
        """Return the descriptors that a part gets: one only may leave the cluster's network."""
        return (self._outer,) if name == FORWARD else ()

    def _failed(self, name: str, what: str) -> SetupError:
        log = self._place.log / f"{name}.log"
        return SetupError(
            f"{name} {what}", where=str(log), detail=last_lines(log.read_text(errors="replace"))
        )


def start(place: Place, plan: Plan, outer: int) -> Parts:
    """Start all parts, each once what it needs is ready.

    Raises:
        SetupError: one does not start.

    """
    isolation.mount(place)
    isolation.link()
    running = Parts(place, outer)
    for name, command in parts.first(place, plan).items():
        running.start(name, command)
    running.wait_until("containerd", Path(CONTAINERD_SOCKET).exists)
    importing = ("ctr", "--address", CONTAINERD_SOCKET, "--namespace", "k8s.io", "images", "import")
    for image in plan.images:
        _run(*importing, "--snapshotter", plan.snapshotter, image)
    running.wait_until("kube-apiserver", lambda: _answers(_api_server(place), "/readyz"))
    dns = str(resources.files("curtainup.setup.cluster") / "manifests" / "dns.yaml")
    admin = (f"--kubeconfig={place.certificates}/admin.kubeconfig", f"--cache-dir={place.kubectl_cache}")
    _run(plan.kube, "kubectl", *admin, "apply", "--server-side", "--filename", dns)
    for name, command in parts.rest(place, plan).items():
        running.start(name, command)
    running.start(FORWARD, parts.forward(place, plan, outer))
    running.wait_until(FORWARD, place.ports.exists)
    running.wait_until("coredns", lambda: _answers(HTTPConnection("127.0.0.1", DNS_READY_PORT), "/ready"))
    running.wait_until("kubelet", lambda: _answers(HTTPConnection("127.0.0.1", KUBELET_PORT), "/healthz"))
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


def _answers(connection: HTTPConnection, path: str) -> bool:
    """Ask a part whether it is ready for everything."""
    try:
        connection.request("GET", path)
        return connection.getresponse().status == HTTPStatus.OK
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def _run(*command: str) -> None:
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode != 0:
        raise SetupError(f"{' '.join(command)} failed", detail=last_lines(done.stdout + done.stderr))


if __name__ == "__main__":
    main()
