"""A lease on a real Docker engine: one holder at a time, and none once the holder's process is gone."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator

import docker
import pytest

from curtainup.errors import Busy, Interrupted
from curtainup.platforms.docker import lease
from curtainup.setup.base_images import images
from curtainup.setup.base_images.catalogue import REFERENCES

pytestmark = pytest.mark.docker
PATIENCE = 60

HOLDER = """\
import sys, threading, docker
from curtainup.platforms.docker import lease
with lease.held(docker.from_env().api, *sys.argv[1:], lambda: None, threading.Event()):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture(scope="module")
def client() -> Iterator[docker.DockerClient]:
    with contextlib.closing(docker.from_env()) as one:
        images.ensure(one, print)
        yield one


@pytest.fixture
def name(client: docker.DockerClient) -> Iterator[str]:
    chosen = f"curtainup-test-{uuid.uuid4().hex[:8]}"
    yield chosen
    deadline = time.monotonic() + PATIENCE
    while client.api.containers(all=True, filters={"name": chosen}):
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_another_waits_until_the_holder_gives_it_back(client: docker.DockerClient, name: str) -> None:
    waits, gets = threading.Event(), threading.Event()

    def another() -> None:
        with lease.held(client.api, name, REFERENCES["base"], waits.set, threading.Event()):
            gets.set()

    with lease.held(client.api, name, REFERENCES["base"], pytest.fail, threading.Event()):
        thread = threading.Thread(target=another)
        thread.start()
        assert waits.wait(PATIENCE)
        assert not gets.is_set()
    thread.join(PATIENCE)
    assert gets.is_set()


def test_a_holder_that_is_killed_holds_nothing(client: docker.DockerClient, name: str) -> None:
    command = [sys.executable, "-c", HOLDER, name, REFERENCES["base"]]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        holder.kill()
    with lease.held(client.api, name, REFERENCES["base"], lambda: None, threading.Event()):
        assert client.containers.get(name).status == "running"


def test_a_container_that_its_maker_never_started_is_no_holder(
    client: docker.DockerClient, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.containers.create(REFERENCES["base"], name=name)
    monkeypatch.setattr(lease, "GRACE", 0)
    with lease.held(client.api, name, REFERENCES["base"], lambda: None, threading.Event()):
        pass


def test_who_waits_can_be_cancelled(client: docker.DockerClient, name: str) -> None:
    cancelled = threading.Event()
    with (
        lease.held(client.api, name, REFERENCES["base"], pytest.fail, threading.Event()),
        pytest.raises(Interrupted),
        lease.held(client.api, name, REFERENCES["base"], cancelled.set, cancelled),
    ):
        pytest.fail("two held it")


def test_nobody_waits_for_ever(
    client: docker.DockerClient, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "PATIENCE", 0)
    with (
        lease.held(client.api, name, REFERENCES["base"], pytest.fail, threading.Event()),
        pytest.raises(Busy, match=f"somebody else has held {name}"),
        lease.held(client.api, name, REFERENCES["base"], lambda: None, threading.Event()),
    ):
        pytest.fail("two held it")


def test_it_is_given_back_after_a_failure(client: docker.DockerClient, name: str) -> None:
    with (
        pytest.raises(KeyError),
        lease.held(client.api, name, REFERENCES["base"], pytest.fail, threading.Event()),
    ):
        raise KeyError
