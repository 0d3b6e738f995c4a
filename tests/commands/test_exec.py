from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from curtainup.commands import exec as commands
from curtainup.commands.exec import Wanted
from curtainup.environments import stack as environments
from curtainup.errors import Interrupted, RefusedError, SetupError
from curtainup.model.environment import Environment
from curtainup.model.release import Release
from curtainup.pipeline.run import holder
from curtainup.platforms.docker.labels import EXEC
from curtainup.targets.command import Asked
from curtainup.targets.docker.target import DockerTarget
from tests import samples
from tests.sessions import World, world


@pytest.fixture
def live(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """A service that is live on a Docker host, whose secret is not at hand."""
    found = world(tmp_path)
    environment = Environment("shop-live", samples.environment())
    environments.apply(found.engine, environment, samples.deployment(100))
    monkeypatch.setattr(DockerTarget, "end_commands", lambda *_: None)
    monkeypatch.setattr(DockerTarget, "no_command", lambda *_, **__: None)
    return found


def _does(monkeypatch: pytest.MonkeyPatch, what: Callable[[Asked], int]) -> list[tuple[Release, Asked]]:
    seen: list[tuple[Release, Asked]] = []

    def execute(_self: DockerTarget, one: Release, asked: Asked) -> int:
        seen.append((one, asked))
        return what(asked)

    monkeypatch.setattr(DockerTarget, "execute", execute)
    return seen


def _record(found: World) -> Any:
    [file] = found.session.state.workspace.folder.glob("runs/*-exec/record.json")
    return json.loads(file.read_text())


def test_the_record_has_who_and_which_program_and_no_argument(
    live: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = _does(monkeypatch, lambda _: 7)
    assert commands.execute(live.session, Wanted(("mysql", "--password=hush-hush"))) == 7
    [(one, asked)] = seen
    assert (one.id, asked.words, asked.attach) == ("r0000001", ("mysql", "--password=hush-hush"), False)
    who = holder.from_json(asked.holder[EXEC])
    assert who is not None
    assert not holder.is_dead(who, who)
    told = _record(live)
    assert told["ran"] == {
        "environment": "live",
        "release": one.id,
        "program": "mysql",
        "arguments": 1,
        "attached": False,
        "exit_code": 7,
        "schedule": None,
    }
    assert told["who"]["user"]
    assert told["result"]["outcome"] == "done"
    assert "hush-hush" not in json.dumps(told)
    assert "hush-hush" not in "".join(live.report.infos)
    assert "hush-hush" not in who.command


@pytest.mark.parametrize(
    ("raised", "told", "outcome"),
    [(KeyboardInterrupt, Interrupted, "interrupted"), (SetupError("no Docker"), SetupError, "failed")],
)
def test_one_that_does_not_end_by_itself_is_recorded_as_such(
    live: World,
    monkeypatch: pytest.MonkeyPatch,
    raised: BaseException,
    told: type[BaseException],
    outcome: str,
) -> None:
    def fail(_asked: Asked) -> int:
        raise raised

    _does(monkeypatch, fail)
    with pytest.raises(told):
        commands.execute(live.session, Wanted(("sh",)))
    assert _record(live)["result"]["outcome"] == outcome
    assert _record(live)["ran"]["exit_code"] is None


def test_only_what_is_known_to_be_dead_is_ended_before(live: World, monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[bool] = []
    this = holder.own("r", None)
    dead = holder.in_json(replace(this, pid=2**22 + 1, ticks=1))
    elsewhere = holder.in_json(replace(this, boot="another", who="ann@laptop"))

    def end(_self: DockerTarget, is_over: Callable[[str], bool]) -> None:
        ended.extend(map(is_over, (dead, elsewhere, holder.in_json(this), "garbled")))

    monkeypatch.setattr(DockerTarget, "end_commands", end)
    _does(monkeypatch, lambda _: 0)
    commands.execute(live.session, Wanted(("sh",)))
    assert ended == [True, False, False, False]


def test_where_nothing_serves_there_is_nothing_to_run_it_in(live: World) -> None:
    with pytest.raises(RefusedError, match="nothing serves in staging"):
        commands.execute(live.session, Wanted(("sh",), env="staging"))
