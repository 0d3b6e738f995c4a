"""A port on the loopback interface by which every process of this user reaches one release.

Each connection goes through the API server to a pod of the release, as `kubectl port-forward` does it, and
finds a pod anew: another one if that of the last connection is gone. Other users of this machine are hung up
on, so that a candidate is exposed to nobody.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from threading import Event, Lock, Thread
from typing import Any

from curtainup.errors import SetupError
from curtainup.platforms.kubernetes.cluster import Away, Cluster, Refused
from curtainup.util.peers import is_own

CHUNK = 65536
ACCEPT_EVERY = 0.2
"""Seconds between looks whether the forward is to end."""
MOST = 4
"""Pods that are tried for one connection."""
HURRY, PATIENCE = 3.0, 15.0
"""Seconds in which a pod has to be reached, while there are others to try and when it is the last."""


@dataclass(frozen=True)
class Door:
    """A pod that may answer, and its port."""

    pod: str
    port: int


Doors = Callable[[], Sequence[Door]]
"""Gives the pods that may answer, the best first."""


class Forward:
    """One such port, from `start` to `close`."""

    def __init__(self, cluster: Cluster, namespace: str, doors: Doors, lasting: float = 0.0) -> None:
        """Prepare the port.

        Args:
            cluster: where the pods are.
            namespace: of the pods.
            doors: is asked for each connection.
            lasting: for how many seconds its answer may be used for other connections, if none fails.

        """
        self._cluster, self._namespace, self._doors, self._lasting = cluster, namespace, doors, lasting
        self._told: tuple[float, Sequence[Door]] = (0.0, ())
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self._listener.settimeout(ACCEPT_EVERY)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        """Where it is reached."""
        self._ended = Event()
        self._lock = Lock()
        self._open: set[socket.socket] = set()
        self._silent: set[str] = set()
        self.trouble = ""
        """Why the last connection that failed did; empty if the last one did not."""

    def start(self) -> None:
        """Begin to take connections."""
        Thread(target=self._serve, name="port-forward", daemon=True).start()

    def close(self) -> None:
        """Take no more connections, and end those that there are."""
        self._ended.set()
        with self._lock:
            remaining = list(self._open)
        for one in remaining:
            _hang_up(one)

    def _serve(self) -> None:
        with self._listener:
            while not self._ended.is_set():
                try:
                    guest, address = self._listener.accept()
                except TimeoutError:
                    continue
                except OSError:  # such as too many open files, which may pass
                    self._ended.wait(ACCEPT_EVERY)
                    continue
                guest.settimeout(None)
                if is_own(address, guest.getsockname()):
                    Thread(target=self._connect, args=(guest,), name="port-forward", daemon=True).start()
                else:
                    guest.close()

    def _connect(self, guest: socket.socket) -> None:
        """Join a guest with a pod until one of them is done."""
        with self._lock:
            self._open.add(guest)
        try:
            found = self._opened()
            if found is not None:
                self._join(guest, *found)
        finally:
            with self._lock:
                self._open.discard(guest)
            guest.close()

    def _opened(self) -> tuple[Any, int] | None:
        """Return a connection to the first pod that takes one, and its port; None if none does."""
        try:
            at, told = self._told
            if not self.trouble and time.monotonic() - at < self._lasting:
                found = self._first(told)
                if found is not None:
                    return found
            doors = self._doors()
            self._told = (time.monotonic(), doors)
            self.trouble = "" if doors else "none of its pods runs"
            return self._first(doors)
        except Refused as refused:
            self.trouble = refused.message
        except SetupError as error:
            self.trouble = f"{error.what}: {error.detail}" if error.detail else error.what
        return None

    def _first(self, doors: Sequence[Door]) -> tuple[Any, int] | None:
        """Return a connection to the first pod that is reached; those that hung before are tried last.

        The API server waits for the node of a pod, and for as long as the cluster has not noticed that the
        node is lost, the pod counts as one that is ready.
        """
        left = sorted(doors, key=lambda one: one.pod in self._silent)[:MOST]
        while left:
            one = left.pop(0)
            try:
                patience = HURRY if left else PATIENCE
                return self._cluster.forwarded(self._namespace, one.pod, one.port, patience), one.port
            except Refused as refused:
                self.trouble = refused.message
            except Away as error:
                self._silent.add(one.pod)
                self.trouble = f"{error.what}: {error.detail}"
        return None

    def _join(self, guest: socket.socket, stream: Any, port: int) -> None:
        pod = stream.socket(port)
        back = Thread(target=_pass_on, args=(pod, guest), name="port-forward", daemon=True)
        back.start()
        _pass_on(guest, pod)
        back.join()
        stream.close()
        self.trouble = stream.error(port) or stream.lost or ""


def _pass_on(source: Any, sink: Any) -> None:
    """Pass on what one side sends until it is done, and let the other side know."""
    with suppress(OSError):
        while part := source.recv(CHUNK):
            sink.sendall(part)
    _hang_up(sink)
    _hang_up(source)


def _hang_up(one: Any) -> None:
    """End both directions of a connection, so that whoever waits on it goes on."""
    with suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
