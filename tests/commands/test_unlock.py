from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from curtainup.cli.command_line import command_line
from curtainup.commands import unlock as unlocking
from curtainup.commands.status import ServiceStatus, statuses
from curtainup.commands.status_text import render
from curtainup.engine.workspace import Backend
from curtainup.errors import Busy, HolderLives, RefusedError
from curtainup.pipeline.run import holder
from curtainup.pipeline.run.holder import Holder
from curtainup.pipeline.run.shared.folders import LocalFolder, SharedFolder
from curtainup.pipeline.run.shared.place import Taken
from curtainup.session import Session
from curtainup.util import mounts
from tests.sessions import world


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Session:
    monkeypatch.setattr(mounts, "is_local", lambda _: False)
    monkeypatch.setattr(unlocking, "POLL", 0.05)
    return world(tmp_path, backend=Backend(f"file://{tmp_path}", None, {}, b"a passphrase")).session


@pytest.fixture
def place(tmp_path: Path) -> SharedFolder:
    return SharedFolder(tmp_path, "shop")


@pytest.fixture
def living(tmp_path: Path) -> Holder:
    """The process of the test itself."""
    return holder.own("living", tmp_path, {"CI_JOB_URL": "https://ci.example/7"})


@pytest.fixture
def gone(living: Holder) -> Holder:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        pass
    return replace(living, run="gone", pid=process.pid)


@pytest.fixture
def elsewhere(living: Holder) -> Holder:
    return replace(living, run="elsewhere", boot="another", who="ann@laptop")


def records(folder: Path) -> Iterator[dict[str, object]]:
    for file in sorted((folder / ".curtainup" / "runs").glob("*-unlock/record.json")):
        yield json.loads(file.read_text())


def test_a_free_lock_is_told_and_not_recorded(session: Session, tmp_path: Path) -> None:
    found = unlocking.look(session)
    assert (found.state, found.held_by) == ("free", None)
    assert not unlocking.unlock(session, found, only_gone=True).freed
    assert list(records(tmp_path)) == []


def test_a_run_that_is_gone_loses_it_and_that_is_recorded(
    session: Session, place: SharedFolder, gone: Holder, tmp_path: Path
) -> None:
    assert place.take(gone)
    found = unlocking.look(session)
    assert (found.state, found.held_by) == ("gone", gone.told)
    assert unlocking.unlock(session, found, only_gone=True).freed
    assert place.taken() is None
    [record] = records(tmp_path)
    assert record["command"] == "unlock"
    assert gone.told in str(record["steps"])
    assert "https://ci.example/7" in str(record["steps"])


def test_a_run_that_lives_here_keeps_it(session: Session, place: SharedFolder, living: Holder) -> None:
    assert place.take(living)
    found = unlocking.look(session)
    assert found.state == "alive"
    with pytest.raises(HolderLives) as caught:
        unlocking.unlock(session, found, only_gone=False)
    assert caught.value.exit_code == 32
    assert caught.value.where == living.told
    assert place.taken() == Taken(living)


def test_a_lock_of_the_kernel_is_that_of_a_run_that_lives(
    session: Session, tmp_path: Path, elsewhere: Holder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mounts, "is_local", lambda _: True)
    assert LocalFolder(tmp_path, "shop").take(elsewhere)
    assert unlocking.look(session).state == "alive"


def test_what_cannot_be_seen_from_here_is_freed_only_if_a_person_says_so(
    session: Session, place: SharedFolder, elsewhere: Holder
) -> None:
    assert place.take(elsewhere)
    found = unlocking.look(session)
    assert found.state == "unknown"
    with pytest.raises(Busy) as caught:
        unlocking.unlock(session, found, only_gone=True)
    assert elsewhere.told in str(caught.value.where)
    assert place.taken() == Taken(elsewhere)
    assert unlocking.unlock(session, found, only_gone=False).freed
    assert place.taken() is None


def test_a_lock_that_is_not_signed_is_freed_only_if_a_person_says_so(
    session: Session, place: SharedFolder, tmp_path: Path
) -> None:
    (tmp_path / "curtainup-locks").mkdir()
    (tmp_path / "curtainup-locks" / "shop.json").touch()
    found = unlocking.look(session)
    assert (found.state, found.held_by) == ("unknown", None)
    assert unlocking.unlock(session, found, only_gone=False).freed
    assert place.taken() is None


def test_the_lock_of_a_run_that_came_after_is_left_alone(
    session: Session, place: SharedFolder, elsewhere: Holder, tmp_path: Path
) -> None:
    assert place.take(elsewhere)
    found = unlocking.look(session)
    assert place.drop(Taken(elsewhere))
    after = replace(elsewhere, run="after", since=elsewhere.since + 60)
    assert place.take(after)
    with pytest.raises(Busy):
        unlocking.unlock(session, found, only_gone=False)
    assert place.taken() == Taken(after)
    [record] = records(tmp_path)
    assert "has taken the lock meanwhile" in str(record["result"])


def test_it_waits_for_a_run_that_lives(session: Session, place: SharedFolder, living: Holder) -> None:
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1)"]) as process:
        assert place.take(replace(living, pid=process.pid, ticks=0))
        assert unlocking.look(session).state == "alive"
        process.wait()
        assert unlocking.look(session, 60).state == "gone"


def test_status_tells_who_holds_it(session: Session, place: SharedFolder, elsewhere: Holder) -> None:
    assert place.take(elsewhere)
    [found] = statuses({"shop": lambda: session})
    assert isinstance(found, ServiceStatus)
    assert found.run == elsewhere.told
    assert render([found]).splitlines()[-1] == f"shop: a run is under way: {elsewhere.told}"


@pytest.fixture
def by_hand(
    session: Session, place: SharedFolder, elsewhere: Holder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Result]:
    """Runs the command on a service whose lock somebody on another machine holds."""
    del session
    assert place.take(elsewhere)
    monkeypatch.setenv("PULUMI_BACKEND_URL", f"file://{tmp_path}")
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "a passphrase")

    def run(*options: str) -> Result:
        return CliRunner().invoke(command_line(["unlock"]), ["unlock", str(tmp_path), *options])

    return run


def test_without_a_terminal_nobody_is_asked_and_nothing_is_freed(
    by_hand: Callable[..., Result], place: SharedFolder, elsewhere: Holder
) -> None:
    refused = by_hand().exception
    assert isinstance(refused, RefusedError)
    assert elsewhere.told in str(refused.where)
    assert isinstance(by_hand("--if-gone").exception, Busy)
    assert by_hand("--yes", "--if-gone").exit_code == 2
    assert place.taken() == Taken(elsewhere)


def test_yes_frees_it_and_says_whose_it_was(
    by_hand: Callable[..., Result], place: SharedFolder, elsewhere: Holder
) -> None:
    told = json.loads(by_hand("--yes", "--json").stdout)
    assert (told["state"], told["held_by"], told["freed"]) == ("unknown", elsewhere.told, True)
    assert place.taken() is None
    assert by_hand().stdout == "shop: no run holds the lock\n"
