from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from curtainup.environments import accessory_states
from curtainup.environments.accessories import Accessories
from curtainup.environments.accessories_kept import Kept
from curtainup.environments.accessory_states import AccessoryState
from curtainup.errors import SetupError
from curtainup.model.accessories import AccessoriesSettings, Accessory
from curtainup.platforms.docker import accessory as containers
from curtainup.platforms.docker.accessory import Answer
from tests.sessions import world

CONFIG = """\
accessories:
  db: {image: "postgres:17", volume: /data, health: pg_isready}
  queue: {image: "redis:7"}
"""
LEFT = Accessory(name="left", image="memcached:1")
DB = Accessory(name="db", image="postgres:16", volume="/data")
QUEUE = Accessory(name="queue", image="redis:7")


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the engine tells, by the name of the accessory; an error is raised."""
    told: dict[str, Any] = {}

    def inspected(_self: Accessories, name: str) -> Any:
        if isinstance(told[name], Exception):
            raise told[name]
        return told[name]

    monkeypatch.setattr(Accessories, "inspected", inspected)
    return told


def _made(monkeypatch: pytest.MonkeyPatch, *made: Accessory) -> None:
    settings = AccessoriesSettings(
        service="shop", environment="live", subnet="10.213.9.0/24", state="s1", accessories=made
    )
    monkeypatch.setattr(Accessories, "kept", Kept(settings, made=frozenset(one.name for one in made)))


def _answers(monkeypatch: pytest.MonkeyPatch, answer: Answer) -> list[float]:
    asked: list[float] = []

    def ask(_client: object, container: str, command: str, seconds: float) -> Answer:
        assert (container, command) == ("shop-live-db", "pg_isready")
        asked.append(seconds)
        return answer

    monkeypatch.setattr(containers, "ask", ask)
    return asked


def _state(status: str, code: int = 0) -> dict[str, Any]:
    return {"State": {"Status": status, "ExitCode": code}}


def test_each_is_told_as_it_was_made_and_what_is_not_made_yet_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, known: dict[str, Any]
) -> None:
    _made(monkeypatch, DB, LEFT)
    asked = _answers(monkeypatch, Answer(0))
    known |= {"db": _state("running"), "left": None}
    found = accessory_states.states(world(tmp_path, CONFIG).session, "live", 2.0)
    assert found == [
        AccessoryState("db", "postgres:16", "running", True, "shop-live-db"),
        AccessoryState("left", "memcached:1", "gone"),
        AccessoryState("queue", "redis:7", "not made"),
    ]
    assert asked == [2.0]


@pytest.mark.parametrize(
    ("told", "state", "healthy", "why"),
    [
        (_state("running"), "running", False, "`health` fails with exit code 2: no response"),
        (_state("exited", 137), "ended", None, "exit code 137"),
        (_state("restarting", 1), "restarting", None, "exit code 1"),
        (_state("created"), "starting", None, ""),
        (SetupError("no Docker engine answers"), "unknown", None, "no Docker engine answers"),
    ],
)
def test_one_that_is_not_well_says_why(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    known: dict[str, Any],
    told: Any,
    state: str,
    healthy: bool | None,
    why: str,
) -> None:
    _made(monkeypatch, DB, QUEUE)
    _answers(monkeypatch, Answer(2, "no response"))
    known |= {"db": told, "queue": _state("running")}
    first, second = accessory_states.states(world(tmp_path, CONFIG).session, "live", 2.0)
    assert (first.state, first.healthy, first.why) == (state, healthy, why)
    assert (second.state, second.healthy) == ("running", None), "it has no command that tells"


def test_without_any_nothing_is_asked(tmp_path: Path, known: dict[str, Any]) -> None:
    assert accessory_states.states(world(tmp_path).session, "live", 2.0) == []
    assert known == {}
