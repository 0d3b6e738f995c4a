"""The logs of real containers, as the Docker engine keeps them."""

from __future__ import annotations

import gc
import threading
import time
import uuid
import warnings
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import docker
import pytest
from docker.models.containers import Container

from curtainup.errors import SetupError
from curtainup.model.environment import Environment
from curtainup.setup.catalogue import REFERENCES
from curtainup.targets.docker.logs import DockerLogs
from curtainup.targets.log_lines import Asked, Line
from tests.sessions import world

pytestmark = pytest.mark.docker
ONE, TWO = "r0000001", "r0000002"


WRITER = """\
[ -z "$FIRST" ] || echo "$FIRST"
[ -p /tmp/1 ] || mkfifo /tmp/1 /tmp/2
while :; do cat /tmp/2 >&2; done &
while :; do cat /tmp/1; done"""
PATIENCE = 120.0


class Releases:
    """Containers as those of an environment's releases, that write what they are told."""

    def __init__(self, folder: Path) -> None:
        self.stack = f"cu-logs-test-{uuid.uuid4().hex[:6]}-live"
        self.client = docker.from_env()
        self.session = world(folder).session
        self.logs = DockerLogs(self.session, Environment(self.stack))
        self.made: list[Container] = []

    def start(self, release: str, first: str = "") -> Container:
        """Start a container that writes one line, if any, each time it starts."""
        container = self.run(release, ["sh", "-c", WRITER], FIRST=first)
        self.until(lambda: container.exec_run(["test", "-p", "/tmp/2"]).exit_code == 0)
        return container

    def run(self, release: str, command: list[str], name: str = "", **environment: str) -> Container:
        container = self.client.containers.run(
            REFERENCES["base"],
            command,
            name=name or f"{self.stack}-{release}",
            labels={"curtainup.release": release},
            environment=environment,
            detach=True,
            init=True,
            stop_signal="SIGKILL",
        )
        self.made.append(container)
        return container

    def write(self, release: str, text: str, stream: int = 1) -> None:
        """Have a container write a line, and wait until the engine has it."""
        container = self.client.containers.get(f"{self.stack}-{release}")
        done = container.exec_run(["sh", "-c", f'echo "$TEXT" >/tmp/{stream}'], environment={"TEXT": text})
        assert done.exit_code == 0, done.output
        self.until(lambda: f"{text}\n".encode() in container.logs())

    def until(self, holds: Callable[[], bool]) -> None:
        end = time.monotonic() + PATIENCE
        while not holds():
            assert time.monotonic() < end, "it never came to that"
            time.sleep(0.02)

    def close(self) -> None:
        for one in self.made:
            one.remove(force=True)
        self.client.close()
        self.session.accounts.docker.close()
        for thread in threading.enumerate():
            if thread.name == "logs":
                thread.join(PATIENCE)
                assert not thread.is_alive(), "whoever stops to follow lets go of it"
        with warnings.catch_warnings():
            # A stream of docker-py that is closed leaves its socket to the garbage collector.
            warnings.simplefilter("ignore", ResourceWarning)
            gc.collect()

    def shown(self, asked: Asked | None = None) -> list[str]:
        return [f"{one.release} {one.text}" for one in self.logs.lines(asked or Asked())]


@pytest.fixture
def releases(tmp_path: Path) -> Iterator[Releases]:
    found = Releases(tmp_path)
    yield found
    found.close()


def test_lines_of_several_releases_come_in_the_order_in_which_they_were_written(releases: Releases) -> None:
    releases.start(ONE)
    releases.start(TWO)
    for number in range(2):
        releases.write(ONE, f"a{number}")
        releases.write(TWO, f"b{number}", stream=2)
    assert releases.shown() == [f"{ONE} a0", f"{TWO} b0", f"{ONE} a1", f"{TWO} b1"]
    assert releases.shown(Asked(tail=3)) == [f"{TWO} b0", f"{ONE} a1", f"{TWO} b1"]
    assert releases.shown(Asked(tail=0)) == []
    assert releases.shown(Asked(releases=(TWO,))) == [f"{TWO} b0", f"{TWO} b1"]
    third = list(releases.logs.lines(Asked()))[2]
    assert releases.shown(Asked(since=third.at)) == [f"{ONE} a1", f"{TWO} b1"]


def test_a_line_that_the_engine_cuts_is_whole_and_one_without_an_end_is_a_line(releases: Releases) -> None:
    container = releases.run(ONE, ["python3", "-c", "print('x' * 40000); print('last', end='')"])
    container.wait()
    assert releases.shown() == [f"{ONE} {'x' * 40000}", f"{ONE} last"]


def test_a_release_whose_container_is_gone_has_no_log(releases: Releases) -> None:
    releases.start(ONE)
    with pytest.raises(SetupError, match=f"the container of {TWO} is gone") as caught:
        releases.shown(Asked(releases=(TWO,)))
    assert caught.value.fix


def test_containers_of_others_are_left_out(releases: Releases) -> None:
    releases.start(ONE, "mine")
    other = releases.run(TWO, ["echo", "not mine"], name=f"{releases.stack}-{TWO}-task")
    other.wait()
    assert releases.shown() == [f"{ONE} mine"]


def _next(lines: Iterator[Line], count: int = 1) -> list[str]:
    return [f"{one.release} {one.text}" for one in islice(lines, count)]


def test_what_is_written_from_then_on_is_followed_and_nothing_is_shown_twice(releases: Releases) -> None:
    container = releases.start(ONE, "started")
    for number in range(5):
        releases.write(ONE, f"before {number}")
    with closing(releases.logs.follow(Asked(tail=2))) as lines:
        _story(releases, container, lines)


def _story(releases: Releases, container: Container, lines: Iterator[Line]) -> None:
    assert _next(lines, 2) == [f"{ONE} before 3", f"{ONE} before 4"]
    releases.write(ONE, "after")
    assert _next(lines) == [f"{ONE} after"]
    releases.start(TWO, "came meanwhile")
    assert _next(lines) == [f"{TWO} came meanwhile"]
    container.restart()
    assert _next(lines) == [f"{ONE} started"]
    releases.write(TWO, "still there")
    assert _next(lines) == [f"{TWO} still there"]


def test_only_the_release_that_is_wanted_is_followed(releases: Releases) -> None:
    releases.start(ONE)
    with closing(releases.logs.follow(Asked(releases=(ONE,), since=datetime.now(UTC)))) as lines:
        releases.start(TWO, "of no interest")
        releases.write(ONE, "first")
        assert _next(lines) == [f"{ONE} first"]
