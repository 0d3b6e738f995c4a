from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest.mock import create_autospec

import docker
import pytest

from curtainup.engine import recovery
from curtainup.engine.aftermath import strays
from curtainup.setup.base_images import catalogue

NOW = datetime.now(UTC)


def lock(folder: Path, pid: int, host: str | None = None, made: datetime = NOW) -> Path:
    """A lock file as Pulumi's file backend writes it."""
    file = folder / "shop-live" / f"{pid}.json"
    file.parent.mkdir(exist_ok=True)
    holder = {"pid": pid, "username": "ann", "hostname": host or socket.gethostname()}
    file.write_text(json.dumps({**holder, "timestamp": made.isoformat()}))
    return file


def ended() -> int:
    """The id of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_the_lock_of_a_dead_process_is_taken_over_with_a_note(tmp_path: Path) -> None:
    pid, notes = ended(), list[str]()
    file = lock(tmp_path, pid)
    assert recovery.take_over([file], notes.append)
    assert not file.exists()
    assert notes == [f"took over the lock of shop-live from process {pid}, which is dead"]


def test_the_lock_of_a_living_process_is_never_touched(tmp_path: Path) -> None:
    file = lock(tmp_path, os.getpid(), made=datetime.now(UTC))
    assert not recovery.take_over([file], print)
    assert file.exists()


def test_the_lock_of_another_machine_is_never_touched(tmp_path: Path) -> None:
    file = lock(tmp_path, ended(), host="elsewhere")
    assert not recovery.take_over([file], print)
    assert file.exists()


def test_a_process_that_got_the_id_after_the_lock_was_made_does_not_hold_it(tmp_path: Path) -> None:
    """As after a reboot of the machine."""
    file = lock(tmp_path, os.getpid(), made=NOW - timedelta(days=30))
    assert recovery.take_over([file], print)
    assert not file.exists()


@pytest.mark.parametrize("text", ["", "{}", '{"pid": "x", "hostname": "h", "timestamp": "y"}'])
def test_a_lock_that_cannot_be_read_is_never_touched(tmp_path: Path, text: str) -> None:
    file = tmp_path / "lock.json"
    file.write_text(text)
    assert not recovery.take_over([file], print)
    assert file.exists()


def test_one_living_holder_is_enough_to_wait(tmp_path: Path) -> None:
    dead, living = lock(tmp_path, ended()), lock(tmp_path, os.getpid(), made=datetime.now(UTC))
    assert not recovery.take_over([dead, living], print)
    assert living.exists()


def test_no_lock_is_nothing_to_take_over() -> None:
    assert not recovery.take_over([], print)


@pytest.mark.docker
def test_only_what_was_being_created_and_is_not_remembered_is_removed() -> None:
    client = docker.from_env()
    base = catalogue.REFERENCES["base"]
    names = [f"cu-recovery-test-{os.getpid()}-{one}" for one in ("pending", "known")]
    for name in names:
        client.containers.create(base, ["true"], name=name)
    notes = list[str]()
    resources = [{"type": strays.CONTAINER, "inputs": {"name": name}} for name in names]
    pending = [{"type": "creating", "resource": one} for one in resources]
    try:
        assert recovery.settle(pending, resources[1:], client, notes.append) == []
        left = [one.name for one in client.containers.list(all=True, filters={"name": "cu-recovery-test"})]
        assert names[0] not in left
        assert names[1] in left
        assert notes == [f"removed {names[0]}, which a run that was cut off had begun to create"]
    finally:
        client.containers.get(names[1]).remove(force=True)
        client.close()


def test_what_was_begun_in_a_cloud_is_left_to_a_person() -> None:
    """It may be live, and only its owner can say."""
    kind = "gcp:cloudrunv2/service:Service"
    urn = f"urn:pulumi:shop-live::curtainup::{kind}::shop-live-service"
    pending = [
        {"type": "creating", "resource": {"type": kind, "urn": urn, "inputs": {"name": "shop-live"}}},
        {"type": "updating", "resource": {"type": kind, "urn": urn}},
    ]
    notes = list[str]()
    engine = create_autospec(docker.DockerClient, instance=True)
    assert recovery.settle(pending, [], engine, notes.append) == pending[:1]
    assert engine.mock_calls == []
    (note,) = notes
    assert "had begun to create gcp:cloudrunv2/service:Service shop-live-service" in note
    assert f"refresh --import-pending-creates '{urn}' ID" in note
