"""Backends of Pulumi's that are no folder, run by the tests themselves: an S3 API and a PostgreSQL."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import requests

PATIENCE = 60.0
BUCKET = "team-state"
POSTGRES = "/usr/lib/postgresql"
"""Where Debian's package has a server's own commands, in a folder of its version."""


@dataclass(frozen=True)
class Backend:
    """A backend: its URL, what reaching it takes, and the file in which it notes each request, if it does."""

    url: str
    env: Mapping[str, str] = field(default_factory=dict)
    log: Path | None = None


@contextmanager
def running(kind: str, folder: Path) -> Iterator[Backend]:
    """Give an empty backend of a kind; skip the test where this machine cannot run it.

    Args:
        kind: `file`, `s3` or `postgres`.
        folder: for its files.

    """
    if kind == "file":
        (folder / "state").mkdir()
        yield Backend(f"file://{folder}/state")
        return
    with _s3(folder) if kind == "s3" else _postgres() as backend:
        yield backend


@contextmanager
def _s3(folder: Path) -> Iterator[Backend]:
    with amazon(folder) as endpoint:
        signed = {"Authorization": "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/s3/aws4_request"}
        made = requests.put(f"{endpoint}/{BUCKET}", headers=signed, timeout=PATIENCE)
        made.raise_for_status()
        url = f"s3://{BUCKET}?region=us-east-1&endpoint={endpoint}&s3ForcePathStyle=true"
        keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
        yield Backend(url, keys, folder / "moto.log")


@contextmanager
def amazon(folder: Path) -> Iterator[str]:
    """Give the address of a stand-in of Amazon's APIs; skip the test where there is none."""
    beside = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    server = shutil.which("moto_server", path=beside)
    if server is None:
        pytest.skip("moto's server is not installed")
    port = _free_port()
    with (folder / "moto.log").open("wb") as log:
        command = [server, "--host", "127.0.0.1", "--port", str(port)]
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        _wait_for(port)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


@contextmanager
def _postgres() -> Iterator[Backend]:
    commands = max(Path(POSTGRES).glob("*/bin"), default=None)
    if commands is None:
        pytest.skip("PostgreSQL's server is not installed")
    user = "postgres" if os.geteuid() == 0 else None  # a server refuses to run as root
    folder = Path(tempfile.mkdtemp(prefix="cu-postgres-", dir="/tmp"))
    data, port = folder / "data", _free_port()
    try:
        if user is not None:
            shutil.chown(folder, user)
        made = [str(commands / "initdb"), "--pgdata", str(data), "--username", "curtainup", "--auth", "trust"]
        subprocess.run(made, check=True, capture_output=True, user=user, cwd=folder)
        options = ["-c", "listen_addresses=127.0.0.1", "-c", f"port={port}", "-k", str(folder)]
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                [commands / "postgres", "-D", data, *options], stdout=log, stderr=log, user=user, cwd=folder
            )
        try:
            _wait_for(port)
            yield Backend(f"postgres://curtainup@127.0.0.1:{port}/postgres?sslmode=disable")
        finally:
            process.terminate()
            process.wait()
    finally:
        shutil.rmtree(folder)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=PATIENCE).close()
        except OSError:
            assert time.monotonic() < deadline, f"nothing listens on port {port}"
            time.sleep(0.1)
        else:
            return
