from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from curtainup.engine.aftermath import holders, started
from curtainup.engine.aftermath.holders import Holder
from curtainup.engine.aftermath.started import Started
from curtainup.util import mounts

REFUSAL = """\
error: the stack is currently locked by 2 lock(s). Either wait for the other process(es) to end or delete \
the lock file with `pulumi cancel`.
  s3://state/.pulumi/locks/organization/curtainup/shop-live/1.json: created by ann@laptop (pid 12) at \
2026-01-02T03:04:05Z
  s3://state/.pulumi/locks/organization/curtainup/shop-live/2.json: created by DOM\\bob@ci (pid 3) at \
2026-01-02T03:04:05+01:00
"""


@pytest.fixture(autouse=True)
def notes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def ended() -> int:
    """The id of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def holder(pid: int, hostname: str | None = None) -> Holder:
    return Holder(pid, "ann", hostname or socket.gethostname(), datetime.now(UTC))


def noted(pid: int, monkeypatch: pytest.MonkeyPatch, **otherwise: object) -> None:
    one = Started(**{**vars(started.here(pid)), **otherwise})
    monkeypatch.setattr(started, "find", lambda wanted: [one] if wanted == pid else [])


def test_the_holders_of_a_refusal_are_read() -> None:
    assert [(one.username, one.hostname, one.pid) for one in holders.told(REFUSAL)] == [
        ("ann", "laptop", 12),
        ("DOM\\bob", "ci", 3),
    ]
    assert holders.told("error: [409] Conflict: Another update is currently in progress.") == []


def test_an_engine_of_ours_that_has_ended_is_dead(monkeypatch: pytest.MonkeyPatch) -> None:
    pid = ended()
    noted(pid, monkeypatch)
    assert holders.is_dead(holder(pid))


def test_an_engine_of_ours_that_lives_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    noted(os.getpid(), monkeypatch, at=0.0)
    assert not holders.is_dead(holder(os.getpid()))


def test_an_engine_of_ours_from_before_the_machine_started_is_dead(monkeypatch: pytest.MonkeyPatch) -> None:
    noted(os.getpid(), monkeypatch, at=0.0, boot="another")
    assert holders.is_dead(holder(os.getpid()))


def test_an_engine_in_another_namespace_may_live(monkeypatch: pytest.MonkeyPatch) -> None:
    """A container with the host's name has process ids of its own."""
    pid = ended()
    noted(pid, monkeypatch, namespace=1)
    assert not holders.is_dead(holder(pid))


def test_a_note_from_after_the_lock_was_made_is_of_another_process(monkeypatch: pytest.MonkeyPatch) -> None:
    pid = ended()
    noted(pid, monkeypatch, at=(datetime.now(UTC) + timedelta(hours=1)).timestamp())
    assert not holders.is_dead(holder(pid))


def test_whoever_is_not_noted_may_live_on_another_machine_of_the_same_name() -> None:
    assert not holders.is_dead(holder(ended()))


def test_a_process_on_another_machine_may_live(monkeypatch: pytest.MonkeyPatch) -> None:
    pid = ended()
    noted(pid, monkeypatch)
    assert not holders.is_dead(holder(pid, "elsewhere"))


@pytest.mark.parametrize(
    ("local", "sees", "dead"), [(True, True, True), (False, True, False), (True, False, False)]
)
def test_a_file_of_this_machine_alone_was_made_by_a_process_of_this_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, local: bool, sees: bool, dead: bool
) -> None:
    monkeypatch.setattr(mounts, "is_local", lambda _path: local)
    monkeypatch.setattr(started, "sees_every_process", lambda: sees)
    assert holders.is_dead(holder(ended()), tmp_path) is dead


@pytest.mark.skipif(
    os.geteuid() != 0 or not started.sees_every_process(), reason="needs root, outside of any container"
)
def test_a_process_in_a_container_is_seen_from_outside(tmp_path: Path) -> None:
    script = "echo $$; exec sleep 60"
    command = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c", script]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as inside:
        try:
            assert inside.stdout is not None
            pid = int(inside.stdout.readline())
            assert pid < 10, "its id there"
            lock = tmp_path / "lock.json"
            made = (datetime.now(UTC)).isoformat()
            lock.write_text(json.dumps({"pid": pid, "hostname": socket.gethostname(), "timestamp": made}))
            assert not holders.is_dead(holders.read(lock), lock)
        finally:
            inside.kill()
