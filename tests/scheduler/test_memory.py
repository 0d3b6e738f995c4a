from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from curtainup.scheduler.memory import CUT_OFF, FAILED, KEPT, OK, RUNNING, Handled, Memory, Run

NOW = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)


@pytest.fixture
def memory(tmp_path: Path) -> Memory:
    return Memory(tmp_path / "curtainup")


def run(memory: Memory, number: int = 0, outcome: str = RUNNING, schedule: str = "one") -> Run:
    due = NOW + timedelta(seconds=number)
    return Run(schedule, "r1", memory.owner, due=due, started=due, outcome=outcome)


def test_what_is_remembered_comes_back(memory: Memory, tmp_path: Path) -> None:
    memory.work()
    one = run(memory)
    with memory.change() as state:
        state.handled["one"] = Handled("* * * * * UTC", NOW)
        state.runs.append(one)
    with Memory(tmp_path / "curtainup").change() as state:
        assert state.handled == {"one": Handled("* * * * * UTC", NOW)}
        assert state.runs == [one]


def test_one_leads_until_it_gives_the_lead_away(memory: Memory, tmp_path: Path) -> None:
    other = Memory(tmp_path / "curtainup")
    assert memory.leads()
    assert memory.leads()
    assert not other.leads()
    memory.retire()
    assert other.leads()
    assert not memory.leads()


def test_a_run_whose_scheduler_has_gone_is_cut_off(memory: Memory, tmp_path: Path) -> None:
    other = Memory(tmp_path / "curtainup")
    memory.work()
    with memory.change() as state:
        state.runs.append(run(memory))
    with other.change() as state:
        assert state.runs[0].outcome == RUNNING, "its scheduler is there"
    memory.rest()
    with other.change() as state:
        [cut] = state.runs
    assert (cut.outcome, cut.why) == (CUT_OFF, "its container ended")
    assert cut.ended is not None
    assert cut.ended > datetime.now(UTC) - timedelta(minutes=5), "that is when it became known"


def test_a_scheduler_that_was_killed_is_not_taken_for_one_that_works(tmp_path: Path) -> None:
    pid = os.fork()
    if not pid:
        gone = Memory(tmp_path / "curtainup")
        gone.work()
        with gone.change() as state:
            state.runs.append(run(gone))
        os._exit(9)
    os.waitpid(pid, 0)
    with Memory(tmp_path / "curtainup").change() as state:
        assert [one.outcome for one in state.runs] == [CUT_OFF]
    assert not list((tmp_path / "curtainup").glob("owner-*"))


def test_nothing_stays_of_a_scheduler_that_was_killed_without_a_run(memory: Memory, tmp_path: Path) -> None:
    memory.work()
    pid = os.fork()
    if not pid:
        Memory(tmp_path / "curtainup").work()
        os._exit(9)
    os.waitpid(pid, 0)
    other = Memory(tmp_path / "curtainup")
    other.work()
    assert len(list((tmp_path / "curtainup").glob("owner-*"))) == 3
    other.tidy()
    left = {one.name for one in (tmp_path / "curtainup").glob("owner-*")}
    assert left == {f"owner-{memory.owner}", f"owner-{other.owner}"}


def test_the_last_runs_stay_and_those_that_went_wrong_longer(memory: Memory) -> None:
    memory.work()
    with memory.change() as state:
        state.runs += [run(memory, 0, FAILED), run(memory, 1, OK, "other")]
        state.runs += [run(memory, 2 + number, OK) for number in range(2 * KEPT)]
    with memory.change() as state:
        assert [one.outcome for one in state.runs] == [FAILED, *([OK] * (KEPT + 1))]
        assert state.runs[-1].due == NOW + timedelta(seconds=1 + 2 * KEPT)


def test_only_a_long_rest_that_somebody_wanted_is_a_pause(memory: Memory) -> None:
    later, soon = NOW + timedelta(minutes=16), NOW + timedelta(minutes=14)
    with memory.change() as state:
        assert not state.was_paused("new", NOW), "nobody has led before"
        state.leader = "old"
        assert not state.was_paused("new", later), "it was killed"
        state.retired = NOW
    with memory.change() as state:
        assert state.was_paused("new", later)
        assert not state.was_paused("new", soon), "it has handed over, or was stopped and started"
        assert not state.was_paused("old", later), "its machine has rested"


def test_a_broken_file_is_as_none(memory: Memory, tmp_path: Path) -> None:
    file = tmp_path / "curtainup" / "state.json"
    no_zone = b'{"handled": {"one": {"line": "", "at": "2026-11-29T12:00:00"}}, "runs": [], "retired": null}'
    deep = b"[" * 100_000
    for data in (b"", b"{", b"[]", b'{"handled": {}, "runs": [{}]}', b"\xff\xfe{}", no_zone, deep):
        file.write_bytes(data)
        with memory.change() as state:
            assert (state.handled, state.runs) == ({}, [])


def test_what_fails_in_the_block_is_not_remembered(memory: Memory) -> None:
    def fail() -> None:
        with memory.change() as state:
            state.runs.append(run(memory))
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    with memory.change() as state:
        assert state.runs == []


def test_another_user_may_write_all_of_it(memory: Memory, tmp_path: Path) -> None:
    umask = os.umask(0o077)
    try:
        memory.work()
        memory.leads()
        with memory.change() as state:
            state.runs.append(run(memory))
    finally:
        os.umask(umask)
    folder = tmp_path / "curtainup"
    assert {one.stat().st_mode & 0o777 for one in folder.iterdir()} == {0o666}
    Memory(folder / "below")
    assert (folder / "below").stat().st_mode & 0o777 == 0o777


def test_what_is_remembered_is_on_the_disk_file_and_name(
    memory: Memory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, synced = tmp_path / "curtainup", []
    real = os.fsync

    def fsync(file: int) -> None:
        there = folder / "state.json"
        synced.append((os.fstat(file).st_ino, there.stat().st_ino if there.exists() else None))
        real(file)

    monkeypatch.setattr(os, "fsync", fsync)
    with memory.change() as state:
        state.runs.append(run(memory))
    file = (folder / "state.json").stat().st_ino
    assert synced == [(file, None), (folder.stat().st_ino, file)]


def test_a_change_that_is_none_writes_nothing(memory: Memory, tmp_path: Path) -> None:
    with memory.change() as state:
        state.handled["one"] = Handled("line", NOW)
    file = tmp_path / "curtainup" / "state.json"
    before = file.stat().st_ino
    with memory.change():
        pass
    assert file.stat().st_ino == before
    assert json.loads(file.read_text())["handled"]["one"]["line"] == "line"
