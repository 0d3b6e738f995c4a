"""A scheduler that does not answer: nothing waits for it for ever."""

from __future__ import annotations

import json
import os
import socket
import struct
from collections.abc import Iterator
from unittest.mock import create_autospec
from uuid import UUID

import pytest
from docker import APIClient

from curtainup.errors import SetupError
from curtainup.platforms.docker import attached
from curtainup.platforms.docker.attached import Late
from curtainup.targets.command import Asked
from curtainup.targets.docker import schedules
from curtainup.targets.docker.schedules import DockerSchedules
from curtainup.util.terminal import Terminal
from tests import samples
from tests.model.test_schedule import CLEANUP

RELEASE = samples.release(1, settings=samples.SETTINGS.model_copy(update={"schedules": (CLEANUP,)}))
RUNS = b"[]"
RUN = "a" * 12
ENDED = {
    "id": RUN,
    "schedule": "cleanup",
    "release": RELEASE.id,
    "due": None,
    "started": "2026-11-29T03:00:00+00:00",
    "ended": "2026-11-29T03:00:01+00:00",
    "outcome": "ok",
    "exit_code": 0,
    "why": "",
}


class Engine:
    """What answers at the other end, as frames of the engine; the client's side may go on for ever."""

    def __init__(self) -> None:
        self.api = create_autospec(APIClient, instance=True)
        self.api.exec_create.return_value = {"Id": "job"}
        self.api.exec_start.side_effect = self._start
        self.api.exec_inspect.return_value = {"ExitCode": 0}
        self.says: list[bytes | None] = []
        self._held: list[socket.socket] = []

    def _start(self, *_: object, **__: object) -> socket.socket:
        ours, theirs = socket.socketpair()
        said = self.says.pop(0)
        self._held.append(theirs)
        if said is not None:
            theirs.sendall(struct.pack(">BxxxL", 1, len(said)) + said)
            theirs.shutdown(socket.SHUT_WR)
        return ours

    def close(self) -> None:
        for one in self._held:
            one.close()


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    monkeypatch.setattr(schedules, "ANSWER", 0.2)
    found = Engine()
    yield found
    found.close()


def _schedules(engine: Engine) -> DockerSchedules:
    return DockerSchedules(engine.api, "shop-live")


def test_one_that_answers_is_heard(engine: Engine) -> None:
    engine.says = [RUNS]
    assert _schedules(engine).runs(RELEASE) == []


def test_one_that_says_nothing_is_not_waited_for(engine: Engine) -> None:
    engine.says = [None]
    with pytest.raises(SetupError, match="the scheduler does not tell what has run") as caught:
        _schedules(engine).runs(RELEASE)
    assert caught.value.detail == "it has not answered within 0.2 s"
    assert caught.value.consequence == schedules.UNKNOWN


def test_one_that_has_said_all_and_does_not_end_is_not_waited_for(engine: Engine) -> None:
    engine.says = [RUNS]
    engine.api.exec_inspect.return_value = {"ExitCode": None}
    with pytest.raises(SetupError, match="the scheduler does not tell what has run"):
        _schedules(engine).runs(RELEASE)


def test_a_run_by_hand_may_take_its_time_but_its_exit_code_may_not(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also if the scheduler remembers the run: another exit code than the command's must not be told."""
    monkeypatch.setattr("uuid.uuid4", lambda: UUID(hex="a" * 32))
    engine.says = [RUNS, b"done", json.dumps([ENDED]).encode()]
    after = {2: 0, 1: None, 0: 0}
    engine.api.exec_inspect.side_effect = lambda _: {"ExitCode": after[len(engine.says)]}
    with open(os.devnull, "wb") as nowhere:  # noqa: PTH123 - its number is needed
        asked = Asked(CLEANUP.command, terminal=Terminal(stdout=nowhere.fileno()))
        with pytest.raises(SetupError, match="nobody knows how the run of cleanup ended"):
            _schedules(engine).run_now(RELEASE, CLEANUP, asked)


def test_the_bound_is_for_all_that_it_writes() -> None:
    """One that writes a little now and then could hold us up for ever otherwise."""
    ours, theirs = socket.socketpair()
    pieces = attached.output(ours, 0.3)

    def go_on() -> None:
        theirs.sendall(struct.pack(">BxxxL", 1, 1) + b"x")
        for piece in pieces:
            assert piece == (False, b"x")
            theirs.sendall(struct.pack(">BxxxL", 1, 1) + b"x")

    with theirs, pytest.raises(Late):
        go_on()
    assert ours.fileno() == -1, "our side is closed"
