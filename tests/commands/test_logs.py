from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from curtainup.cli.command_line import command_line
from curtainup.cli.shared import common
from curtainup.commands import logs
from curtainup.commands.logs import TAIL, Line, Wanted
from curtainup.environments import stack as environments
from curtainup.errors import CurtainupError, RefusedError, UnknownRelease
from curtainup.model.environment import Environment
from curtainup.model.process import Process
from curtainup.model.release import Deployment
from curtainup.session import Session
from curtainup.targets import TARGETS, docker
from curtainup.targets.log_lines import Asked, Lines
from tests import samples
from tests.sessions import World, world

AT = datetime(2026, 11, 21, 15, 31, 24, 123456, UTC)


class Kept:
    """A source that keeps what it was asked, and gives what it holds."""

    outlives = False
    texts: tuple[str, ...] = ()
    asked: Asked | None = None
    followed = False

    def __init__(self, session: Session, environment: Environment, _look: object) -> None:
        assert session.service.config.name == "shop"
        assert environment.stack == "shop-live"

    def lines(self, asked: Asked) -> Lines:
        type(self).asked = asked
        yield from [Line(AT, "r0000001", text) for text in self.texts]

    def follow(self, asked: Asked) -> Lines:
        type(self).followed = True
        yield from self.lines(asked)
        raise KeyboardInterrupt


SPEC = replace(docker.SPEC, logs=Kept)


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """A service whose live environment holds the releases 1 and 2, and whose log is `Kept`."""
    monkeypatch.setitem(TARGETS, "docker", f"{__name__}:SPEC")
    for name, value in (("outlives", False), ("texts", ("hello",)), ("asked", None), ("followed", False)):
        monkeypatch.setattr(Kept, name, value)
    found = world(tmp_path, "environments: {demo: {}}\n", {"TOKEN": "sesame"})
    live = Environment("shop-live", samples.environment())
    environments.apply(found.engine, live, samples.deployment(0, 100))
    return found


def _asked(shop: World, wanted: Wanted) -> Asked:
    list(logs.logs(shop.session, wanted))
    assert Kept.asked is not None
    return Kept.asked


def test_secrets_and_control_characters_are_taken_out(shop: World) -> None:
    Kept.texts = ("\x1b[31mred\x1b[0m", "the token is sesame", "\ttab")
    assert [one.text for one in logs.logs(shop.session, Wanted())] == ["red", "the token is ***", "\ttab"]


def test_how_much_is_shown(shop: World) -> None:
    assert _asked(shop, Wanted()) == Asked(None, None, TAIL)
    assert _asked(shop, Wanted(tail=0)).tail == 0
    bounded = _asked(shop, Wanted(since=60))
    assert bounded.tail is None
    assert bounded.since is not None
    assert (datetime.now(UTC) - bounded.since).total_seconds() >= 60
    assert _asked(shop, Wanted(since=60, tail=5)).tail == 5


@pytest.mark.parametrize("named", ["r0000002", "200415-0819-2-b3548e", "200415-0819-2"])
def test_a_release_is_named_by_id_or_version_or_a_beginning(shop: World, named: str) -> None:
    assert _asked(shop, Wanted(release=named)).releases == ("r0000002",)


@pytest.mark.parametrize("named", ["r0000003", "200415", "v9"])
def test_a_release_that_is_none_is_refused_by_naming_those_that_are(shop: World, named: str) -> None:
    with pytest.raises(UnknownRelease) as caught:
        logs.logs(shop.session, Wanted(release=named))
    assert "r0000001" in str(caught.value.where)
    assert "traffic" not in str(caught.value.consequence)


def test_where_logs_outlive_releases_one_that_is_gone_has_to_be_named_whole(shop: World) -> None:
    Kept.outlives = True
    assert _asked(shop, Wanted(release="r0000003")).releases == ("r0000003",)
    with pytest.raises(UnknownRelease):
        logs.logs(shop.session, Wanted(release="r000000"))


def test_an_environment_that_is_none_is_refused_by_naming_those_that_are(shop: World) -> None:
    with pytest.raises(RefusedError, match="no environment 'nowhere'") as caught:
        logs.logs(shop.session, Wanted(env="nowhere"))
    assert caught.value.where == "environments: staging, live, demo"


def test_an_environment_that_is_not_deployed_has_no_log(shop: World) -> None:
    with pytest.raises(RefusedError, match="demo of shop is not deployed"):
        logs.logs(shop.session, Wanted(env="demo"))


@pytest.fixture
def opened(shop: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(common, "session", lambda *_args, **_options: shop.session)


@pytest.mark.usefixtures("opened")
def test_a_line_says_when_and_of_which_release() -> None:
    assert CliRunner().invoke(command_line(), ["logs"]).stdout == "2026-11-21T15:31:24.123Z r0000001 hello\n"
    told = CliRunner().invoke(command_line(), ["logs", "--json"]).stdout
    assert json.loads(told) == {"at": "2026-11-21T15:31:24.123Z", "release": "r0000001", "text": "hello"}


@pytest.mark.usefixtures("opened")
def test_ctrl_c_is_how_following_ends() -> None:
    done = CliRunner().invoke(command_line(), ["logs", "--follow"])
    assert (done.exit_code, done.stdout.count("hello"), done.stderr) == (0, 1, "")
    assert Kept.followed


@pytest.mark.usefixtures("opened")
def test_a_time_that_is_none_is_refused() -> None:
    done = CliRunner().invoke(command_line(), ["logs", "--since", "yesterday"])
    assert done.exit_code == 2
    assert "10m" in done.stderr or "5m" in done.stderr


@pytest.mark.usefixtures("opened")
def test_an_error_of_the_log_is_the_command_s() -> None:
    done = CliRunner().invoke(command_line(), ["logs", "--env", "nowhere"])
    assert isinstance(done.exception, CurtainupError)


def test_a_process_that_no_release_has_is_refused(shop: World) -> None:
    with pytest.raises(RefusedError, match="live has no process 'worker'") as caught:
        logs.logs(shop.session, Wanted(process="worker"))
    assert caught.value.where == "processes: none"


def test_only_the_lines_of_a_process_are_asked_for(shop: World) -> None:
    process = Process(name="worker", command=("w",), count=1, memory_mb=64, stop_timeout=1, settle=1)
    settings = samples.SETTINGS.model_copy(update={"processes": (process,)})
    one = samples.release(1, settings=settings)
    live = Environment("shop-live", samples.environment())
    environments.apply(shop.engine, live, Deployment(releases=(one,), traffic={one.id: 100}))
    assert _asked(shop, Wanted(process="worker")).process == "worker"
    assert _asked(shop, Wanted()).process == ""
