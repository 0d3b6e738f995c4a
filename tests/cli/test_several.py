"""`deploy` of several services, with a deployment that does nothing."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer

from curtainup.cli.shared import several
from curtainup.errors import CanaryPaused, ConfigError, Interrupted, StagingGateFailed, TrafficReturned
from curtainup.pipeline.options import Options
from curtainup.pipeline.plan.plan import Plan
from curtainup.pipeline.result import Result
from curtainup.util import hidden
from curtainup.util.secrets import Secret

Work = Callable[[Path], object]


def live(folder: Path) -> Result:
    return Result(f"http://{folder.name}.example", "1-abc", "r1", changed=True)


@pytest.fixture
def services(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    monkeypatch.chdir(tmp_path)
    for name, needs in (("shop", "[users]"), ("users", "[]"), ("mail", "[]")):
        folder = Path("services") / name
        folder.mkdir(parents=True)
        (folder / "pym-config.yaml").write_text(f"name: {name}\ndepends_on: {needs}\n")
    return [Path("services") / name for name in ("shop", "users", "mail")]


def deploy(services: list[Path], work: Work, **more: Any) -> None:
    options: dict[str, Any] = {"changed_since": None, "jobs": 2, "dirty": False, "json": True, "quiet": False}
    several.deploy(services, None, work, **{**options, **more})


def test_each_has_a_line_and_its_own_output(services: list[Path], capsys: pytest.CaptureFixture[str]) -> None:
    deploy(services, live, json=False)
    out, err = capsys.readouterr()
    assert [line.split()[:2] for line in out.splitlines()] == [
        ["users", "live"],
        ["shop", "live"],
        ["mail", "live"],
        ["3", "services:"],
    ]
    assert "http://users.example" in out
    assert err == ""


def test_what_fails_is_told_with_its_exit_code_and_stops_what_needs_it(
    services: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    def work(folder: Path) -> Result:
        if folder.name == "users":
            raise StagingGateFailed("2 of 3 tests failed", where="http://x", fix="mend it")
        return live(folder)

    with pytest.raises(typer.Exit) as caught:
        deploy(services, work)

    assert caught.value.exit_code == 11
    out, err = capsys.readouterr()
    users, shop, mail = json.loads(out)
    assert (users["outcome"], users["exit_code"], users["why"]) == ("failed", 11, "2 of 3 tests failed")
    assert users["error"] == {
        "what": "2 of 3 tests failed",
        "where": "http://x",
        "consequence": None,
        "fix": "mend it",
    }
    assert (shop["outcome"], shop["exit_code"], shop["why"]) == ("skipped", None, "users failed")
    assert (mail["outcome"], mail["result"]["release"]) == ("live", "r1")
    assert "users | error: 2 of 3 tests failed" in err
    assert "users |     fix:   mend it" in err


@pytest.mark.parametrize(
    ("error", "outcome", "code"),
    [
        (TrafficReturned("live failed"), "returned", 13),
        (Interrupted("interrupted"), "interrupted", 130),
        (CanaryPaused("too few samples"), "paused", 36),
        (ZeroDivisionError("a defect"), "failed", 1),
    ],
)
def test_the_outcome_says_how_it_failed(
    services: list[Path],
    capsys: pytest.CaptureFixture[str],
    error: Exception,
    outcome: str,
    code: int,
) -> None:
    def work(_folder: Path) -> Result:
        raise error

    with pytest.raises(typer.Exit) as caught:
        deploy(services[2:], work)
    [mail] = json.loads(capsys.readouterr().out)
    assert (mail["outcome"], mail["exit_code"], caught.value.exit_code) == (outcome, code, code)


def test_a_process_that_is_killed_is_told(services: list[Path], capsys: pytest.CaptureFixture[str]) -> None:
    def work(_folder: Path) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    with pytest.raises(typer.Exit):
        deploy(services[2:], work)
    [mail] = json.loads(capsys.readouterr().out)
    assert (mail["outcome"], mail["exit_code"], mail["why"]) == ("failed", 1, "its process ended with -9")


def test_a_held_candidate_is_told(services: list[Path], capsys: pytest.CaptureFixture[str]) -> None:
    def work(folder: Path) -> Result:
        return Result(f"http://{folder.name}.example", "1-abc", "r1", changed=True, held=True)

    deploy(services[2:], work)
    [mail] = json.loads(capsys.readouterr().out)
    assert (mail["outcome"], mail["url"]) == ("held", "http://mail.example")


def test_no_secret_of_a_process_reaches_the_list(
    services: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    def work(_folder: Path) -> None:
        hidden.hide([Secret("hunter2")])
        raise StagingGateFailed("failed", fix="do not say hunter2")

    with pytest.raises(typer.Exit):
        deploy(services[2:], work)
    out, err = capsys.readouterr()
    assert "hunter2" not in out + err


def test_a_circle_begins_nothing(services: list[Path]) -> None:
    (services[1] / "pym-config.yaml").write_text("name: users\ndepends_on: [shop]\n")
    with pytest.raises(ConfigError, match="in a circle"):
        deploy(services, lambda _: pytest.fail("it began"))


def test_one_folder_is_a_service_alone(services: list[Path], tmp_path: Path) -> None:
    assert several.alone(None, None, None) == Path()
    assert several.alone(services[:1], None, None) == services[0]
    assert several.alone(services, None, None) is None
    assert several.alone(services[:1], "main", None) is None
    assert several.alone(services[:1], None, 1) is None
    with pytest.raises(typer.BadParameter, match="is a file"):
        several.alone([services[0] / "pym-config.yaml"], None, None)


def test_what_is_of_one_service_is_refused_for_several() -> None:
    several.require_for_all(Options())
    plan = Plan.model_construct()
    for options in (Options(image="x"), Options(plan=plan)):
        with pytest.raises(typer.BadParameter):
            several.require_for_all(options)
