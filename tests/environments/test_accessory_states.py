from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from curtainup.environments import accessory_states
from curtainup.environments.accessories import Accessories
from curtainup.environments.accessories_kept import Kept
from curtainup.environments.accessory_states import AccessoryState
from curtainup.errors import SetupError, StateError
from curtainup.model.accessories import AccessoriesSettings, Accessory
from curtainup.platforms.docker import accessory as containers
from curtainup.session import Session
from curtainup.util.secrets import Secret
from tests.sessions import world

CONFIG = """\
accessories:
  db: {image: "postgres:17", volume: /data, health: pg_isready}
  queue: {image: "redis:7"}
"""
SECRET = CONFIG.replace("health: pg_isready", "env_secrets: [PASSWORD]")
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


def _state(status: str, code: int = 0) -> dict[str, Any]:
    return {"State": {"Status": status, "ExitCode": code}}


@pytest.fixture(autouse=True)
def only_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """No command may run in a live database, and no engine start, because somebody looks."""

    def forbidden(*_: object) -> None:
        pytest.fail("the look did more than look")

    monkeypatch.setattr(containers, "ask", forbidden)
    monkeypatch.setattr(Session, "hmac_key", property(forbidden))


def test_each_is_told_as_it_was_made_and_what_is_not_made_yet_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, known: dict[str, Any]
) -> None:
    _made(monkeypatch, DB, LEFT)
    known |= {"db": _state("running"), "left": None}
    found = accessory_states.states(world(tmp_path, CONFIG).session, "live")
    assert found == [
        AccessoryState("db", "postgres:16", "running", "shop-live-db"),
        AccessoryState("left", "memcached:1", "gone"),
        AccessoryState("queue", "redis:7", "not made"),
    ]


def test_one_with_secrets_is_told_without_their_hmac(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, known: dict[str, Any]
) -> None:
    _made(monkeypatch, DB)
    known |= {"db": _state("running")}
    session = world(tmp_path, SECRET).session
    session = replace(session, service=replace(session.service, secrets={"PASSWORD": Secret("open sesame")}))
    found = accessory_states.states(session, "live")
    assert [(one.name, one.state) for one in found] == [("db", "running"), ("queue", "not made")]


@pytest.mark.parametrize(
    ("told", "state", "why"),
    [
        (_state("running"), "running", ""),
        (_state("exited", 137), "ended", "exit code 137"),
        (_state("restarting", 1), "restarting", "exit code 1"),
        (_state("created"), "starting", ""),
        (SetupError("no Docker engine answers"), "unknown", "no Docker engine answers"),
        (StateError("no login"), "unknown", "no login"),
    ],
)
def test_one_that_does_not_run_says_why(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    known: dict[str, Any],
    told: Any,
    state: str,
    why: str,
) -> None:
    _made(monkeypatch, DB, QUEUE)
    known |= {"db": told, "queue": _state("running")}
    first, second = accessory_states.states(world(tmp_path, CONFIG).session, "live")
    assert (first.state, first.why) == (state, why)
    assert second.state == "running"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            CONFIG,
            [
                AccessoryState("db", "postgres:17", "unknown", "shop-live-db", "it cannot be read"),
                AccessoryState("queue", "redis:7", "unknown", None, "it cannot be read"),
            ],
        ),
        ("", [AccessoryState("shop-live-accessories", "", "unknown", None, "it cannot be read")]),
    ],
    ids=["configured", "not configured any more"],
)
def test_what_cannot_be_read_is_unknown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, expected: list[AccessoryState]
) -> None:
    def unreadable(_self: Accessories) -> Kept:
        raise StateError("it cannot be read")

    monkeypatch.setattr(Accessories, "kept", property(unreadable))
    assert accessory_states.states(world(tmp_path, text).session, "live") == expected


def test_without_any_nothing_is_asked(tmp_path: Path, known: dict[str, Any]) -> None:
    assert accessory_states.states(world(tmp_path).session, "live") == []
    assert known == {}
