"""A second Docker engine in a network namespace of its own, to be filled up, stopped and started again.

An engine takes the network that it finds for its own, bridge and firewall included: two in one network
break each other. This one's data is in memory, on a file system of its own, which a test may fill.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import tempfile
import uuid
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import psutil
import pytest

from curtainup.setup import docker_engine

CLONE_NEWNET = 0x40000000
"""`setns(2)`: only the network; os.setns needs Python 3.12."""
SIZE = "3g"


@contextmanager
def skipped_where_not_allowed() -> Iterator[None]:
    """Skip the tests if this machine does not let the block make namespaces and mounts."""
    try:
        yield
    except subprocess.CalledProcessError as error:
        pytest.skip(f"namespaces and mounts are not allowed here: {error.stderr}")


class SecondEngine:
    """The engine, its namespace and its disk.

    Attributes:
        data: where it keeps everything; a file system of its own.
        address: as DOCKER_HOST takes it.

    """

    def __init__(self, folder: Path) -> None:
        self.name = f"cu-luck-test-{uuid.uuid4().hex[:6]}"
        self.data = folder / "data"
        self.address = f"unix://{folder}/docker.sock"
        self._folder = folder
        self._pidfile = folder / "docker.pid"

    def make(self) -> None:
        """Make its network and its disk.

        Raises:
            subprocess.CalledProcessError: this machine does not allow that; the engine is to be removed.

        """
        self.data.mkdir()
        _run("ip", "netns", "add", self.name)
        _run("ip", "-n", self.name, "link", "set", "lo", "up")
        _run("mount", "-t", "tmpfs", "-o", f"size={SIZE}", self.name, str(self.data))

    def start(self) -> None:
        """Start it, and wait until it answers."""
        options = [
            *("--host", self.address, "--data-root", str(self.data), "--exec-root", f"{self._folder}/run"),
            *("--pidfile", str(self._pidfile), "--storage-driver", "overlay2"),
            *("--containerd-namespace", self.name, "--containerd-plugins-namespace", f"{self.name}-plugins"),
        ]
        with self.inside():
            docker_engine.start(["dockerd", *options], self.address, self._folder / "log").close()

    def stop(self) -> None:
        """Stop it as a reboot does: it stops its containers first."""
        if not self._pidfile.exists():
            return
        engine = psutil.Process(int(self._pidfile.read_text()))
        engine.send_signal(signal.SIGTERM)
        engine.wait(300)

    def remove(self) -> None:
        """Stop it and take away what `make` has made, as far as it is there."""
        self.stop()
        for command in (("umount", str(self.data)), ("ip", "netns", "delete", self.name)):
            subprocess.run(command, capture_output=True, check=False)

    @contextmanager
    def inside(self) -> Iterator[None]:
        """Have this thread, and the threads and processes that it starts, in the engine's network."""
        with Path("/proc/thread-self/ns/net").open() as own:
            with Path(f"/run/netns/{self.name}").open() as other:
                _enter(other.fileno())
            try:
                yield
            finally:
                _enter(own.fileno())

    def bring(self, images: Sequence[str]) -> None:
        """Copy images from the machine's own engine."""
        load = ["docker", "--host", self.address, "load", "--quiet"]
        with subprocess.Popen(["docker", "save", *images], stdout=subprocess.PIPE) as saved:
            subprocess.run(load, stdin=saved.stdout, check=True, capture_output=True)
        assert saved.returncode == 0

    def full(self) -> AbstractContextManager[None]:
        """Have its disk all but full."""
        return filled(self.data)


@contextmanager
def filled(folder: Path) -> Iterator[None]:
    """Have a folder's file system all but full."""
    filler = folder / "filler"
    space = os.statvfs(folder)
    with filler.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, space.f_bavail * space.f_frsize - (8 << 20))
    try:
        yield
    finally:
        filler.unlink()


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, text=True)


def _enter(namespace: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(namespace, CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")


@contextmanager
def running(references: Sequence[str]) -> Iterator[SecondEngine]:
    """Give a running engine that has some images; this thread is in its network."""
    with tempfile.TemporaryDirectory(prefix="cu-luck-", dir="/tmp") as short:
        second = SecondEngine(Path(short))
        try:
            with skipped_where_not_allowed():
                second.make()
            second.start()
            second.bring(references)
            with second.inside():
                yield second
        finally:
            second.remove()
