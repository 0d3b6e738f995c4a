"""Schedulers at work: real processes, a real clock, one folder."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from curtainup.scheduler import start
from curtainup.scheduler.place import ABLE, REFUSED
from tests.scheduler.machine import BEGIN, PATIENCE, Machine, Runs, assert_once_each, schedule

TICK = schedule("tick", ["true"])
LONG = schedule("long", ["sleep", "60"])


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def state(machine: Machine) -> dict[str, Any]:
    """What is remembered, with all that the runs do not tell."""
    found: dict[str, Any] = json.loads((machine.folder / "curtainup" / "state.json").read_text())
    return found


def is_ahead(machine: Machine, seconds: int) -> bool:
    """Whether the clock of a scheduler has been ahead of the machine's by so much."""
    handled = [datetime.fromisoformat(one["at"]) for one in state(machine)["handled"].values()]
    return max(handled) - datetime.now(UTC) > timedelta(seconds=seconds - 60)


def is_alive(pid: int) -> bool:
    """Whether a process goes on: one that has ended, and that nobody has asked about, does not."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def open_files(process: subprocess.Popen[str]) -> int:
    return len(list(Path(f"/proc/{process.pid}/fd").iterdir()))


def ended(found: Runs, name: str) -> Runs:
    return [one for one in found if one["schedule"] == name and one["outcome"] != "running"]


def test_what_is_due_runs_and_is_remembered(machine: Machine) -> None:
    with machine.scheduler("r1", TICK, schedule("fails", ["sh", "-c", "exit 3"])):
        found = machine.await_runs(lambda now: bool(ended(now, "tick") and ended(now, "fails")), "two runs")

    [tick, *_], [fails, *_] = ended(found, "tick"), ended(found, "fails")
    assert (tick["outcome"], tick["exit_code"], tick["why"], tick["release"]) == ("ok", 0, "", "r1")
    assert (fails["outcome"], fails["exit_code"], fails["why"]) == ("failed", 3, "exit code 3")
    assert tick["due"] <= tick["started"] <= tick["ended"]


def test_a_check_says_that_a_scheduler_can_work_and_runs_nothing(machine: Machine) -> None:
    done = machine.check("r1", TICK)

    assert (done.returncode, done.stdout) == (0, f"{ABLE}\n")
    assert machine.runs() == []
    assert not list((machine.folder / "curtainup").glob("owner-*"))


def test_a_check_says_why_a_scheduler_cannot_work(machine: Machine) -> None:
    (machine.folder / "curtainup").write_text("no folder")

    done = machine.check("r1", TICK)

    assert done.returncode == 1
    assert done.stdout.startswith("the scheduler cannot work as user ")
    assert ABLE not in done.stdout


def test_the_next_scheduler_goes_on_without_a_gap(machine: Machine) -> None:
    with machine.scheduler("r1", TICK) as first:
        machine.await_runs(lambda now: len(ended(now, "tick")) > 1, "the first has run it")
        with machine.scheduler("r2", TICK):
            assert {one["release"] for one in machine.runs()} == {"r1"}, "only one leads"
            first.send_signal(signal.SIGTERM)
            found = machine.await_runs(
                lambda now: len([one for one in ended(now, "tick") if one["release"] == "r2"]) > 1,
                "the second has run it",
            )

    assert_once_each(found)


def test_a_run_goes_on_in_the_release_in_which_it_began(machine: Machine) -> None:
    slow = schedule("slow", ["sh", "-c", "sleep 2; exit 7"])
    with machine.scheduler("r1", slow) as first:
        machine.await_runs(bool, "it has begun")
        with machine.scheduler("r2", slow):
            first.send_signal(signal.SIGTERM)
            found = machine.await_runs(
                lambda now: len({one["release"] for one in now}) > 1 and now[0]["outcome"] == "failed",
                "the end",
            )

    assert (found[0]["release"], found[0]["exit_code"]) == ("r1", 7)


def test_a_run_that_takes_too_long_after_its_release_has_gone_is_cut_off(machine: Machine) -> None:
    with machine.scheduler("r1", {**LONG, "stop_timeout": 1}) as first:
        machine.await_runs(bool, "it has begun")
        first.send_signal(signal.SIGTERM)
        first.wait()
        [one, *_] = machine.runs()
    assert (one["outcome"], one["exit_code"]) == ("cut off", 143)
    assert "1 s after its container was to end" in one["why"]


def test_a_killed_scheduler_leaves_a_run_that_was_cut_off_and_the_next_one_goes_on(machine: Machine) -> None:
    long = {**LONG, "command": ["sleep", "8"]}
    with machine.scheduler("r1", long, TICK) as first:
        machine.await_runs(lambda now: any(one["schedule"] == "long" for one in now), "it has begun")
        first.kill()
        first.wait()
        with machine.scheduler("r1", long, TICK):
            machine.wait(lambda: len(list(machine.folder.glob("curtainup/owner-*"))) == 1, "it has tidied up")
            count = len(ended(machine.runs(), "tick"))
            found = machine.await_runs(lambda now: len(ended(now, "tick")) > count, "it goes on")
    [cut, *_] = [one for one in found if one["schedule"] == "long"]
    assert (cut["outcome"], cut["why"]) == ("cut off", "its container ended")


def test_what_came_due_while_nobody_worked_starts_late_or_is_missed(machine: Machine) -> None:
    late, missed = schedule("late", ["true"]), schedule("missed", ["true"], start_within=1)
    with machine.scheduler("r1", late, missed):
        machine.await_runs(lambda now: bool(ended(now, "late") and ended(now, "missed")), "both have run")
    last = max(one["due"] for one in machine.runs())
    machine.wait(
        lambda: datetime.now().astimezone() - datetime.fromisoformat(last) > timedelta(seconds=4), "time"
    )
    with machine.scheduler("r2", late, missed):
        found = machine.await_runs(
            lambda now: (
                {("r2", "missed"), ("r2", "late")} <= {(one["release"], one["schedule"]) for one in now}
            ),
            "both are heeded",
        )

    second = [one for one in found if one["release"] == "r2"]
    assert next(one for one in second if one["schedule"] == "late")["why"].endswith("gave way to a later one")
    first = next(one for one in second if one["schedule"] == "missed")
    before = max(one["due"] for one in found if (one["release"], one["schedule"]) == ("r1", "missed"))
    told = re.fullmatch(r"(\d+) due times since (.*) UTC could not start within 1 s", first["why"])
    assert first["outcome"] == "missed"
    assert told is not None
    due, known = datetime.fromisoformat(first["due"]), datetime.fromisoformat(first["ended"])
    assert due - datetime.fromisoformat(before) == timedelta(seconds=int(told[1])), "it is the newest"
    assert due + timedelta(seconds=1) < known


def test_another_line_makes_nothing_late(machine: Machine) -> None:
    with machine.scheduler("r1", schedule("one", ["true"])):
        machine.await_runs(lambda now: bool(ended(now, "one")), "it has run")
    count = len(machine.runs())
    with machine.scheduler("r2", schedule("one", ["true"], "*/2 * * * * *")):
        found = machine.await_runs(lambda now: len(now) > count, "it runs by the new line")
    assert "missed" not in {one["outcome"] for one in found[count:]}


def test_a_run_that_exceeds_its_limit_is_ended_with_all_that_it_has_started(machine: Machine) -> None:
    pids = machine.folder / "pids"
    deaf = ["sh", "-c", f"trap '' TERM; sleep 777 >/dev/null 2>&1 & echo $$ $! >> {pids}; wait; sleep 777"]
    with machine.scheduler("r1", schedule("deaf", deaf, time_limit=1)):
        found = machine.await_runs(lambda now: now != [] and now[0]["outcome"] != "running", "its end")
    assert (found[0]["outcome"], found[0]["why"]) == ("timed out", "it went on for more than 1 s")
    [own, child, *_] = map(int, pids.read_text().split())
    assert is_alive(os.getpid())
    machine.wait(lambda: not is_alive(own) and not is_alive(child), "both are gone")


def test_one_that_forbids_an_overlap_is_skipped_and_another_is_not(machine: Machine) -> None:
    both = schedule("both", ["sleep", "60"], overlap="allow")
    with machine.scheduler("r1", {**LONG, "stop_timeout": 0}, {**both, "stop_timeout": 0}):
        found = machine.await_runs(
            lambda now: len([one for one in now if one["schedule"] == "both"]) > 2, "three at once"
        )
        assert {one["outcome"] for one in found if one["schedule"] == "both"} == {"running"}
        machine.await_runs(lambda now: "skipped" in {one["outcome"] for one in now}, "one is skipped")


def test_a_command_that_is_not_there_has_failed(machine: Machine) -> None:
    with machine.scheduler("r1", schedule("none", ["no-such-program"])):
        found = machine.await_runs(lambda now: bool(ended(now, "none")), "its end")
    assert (found[0]["outcome"], found[0]["exit_code"]) == ("failed", 127)
    assert found[0]["why"] == "its command did not start: No such file or directory: no-such-program"


def test_a_run_that_ends_by_a_signal_says_which(machine: Machine) -> None:
    by = {name: schedule(name, ["sh", "-c", f"kill -{name.upper()} $$"]) for name in ("term", "40")}
    with machine.scheduler("r1", *by.values()):
        found = machine.await_runs(lambda now: all(ended(now, name) for name in by), "the ends")
    [term, *_], [other, *_] = (ended(found, name) for name in by)
    assert (term["outcome"], term["exit_code"], term["why"]) == ("failed", 143, "ended by SIGTERM")
    assert (other["outcome"], other["exit_code"], other["why"]) == ("failed", 168, "ended by signal 40")


@pytest.mark.parametrize("question", [b"7", b"[]", b"null", b"{", b"\xff", b" ", b"[" * 5_000])
def test_a_question_that_is_none_is_not_answered_and_harms_nothing(machine: Machine, question: bytes) -> None:
    with machine.scheduler("r1", TICK) as process:
        files = open_files(process)
        for _ in range(3):
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asking:
                asking.connect(f"\0{machine.host('r1')}")
                socket.send_fds(asking, [question], [1, 2])
                assert asking.recv(1) == b""
        assert machine.ask("r1", "ready").returncode == 0
        machine.wait(lambda: open_files(process) <= files, "it has closed all of it")


def test_a_command_that_no_system_can_start_has_failed(machine: Machine) -> None:
    with machine.scheduler("r1", schedule("none", ["true", "a\0b"])):
        found = machine.await_runs(lambda now: bool(ended(now, "none")), "its end")
    assert (found[0]["outcome"], found[0]["exit_code"]) == ("failed", 126)
    assert found[0]["why"] == "its command did not start: embedded null byte: true"


def test_one_that_somebody_asks_for_runs_at_once_and_is_remembered(machine: Machine) -> None:
    never = schedule("yearly", ["sh", "-c", "echo out; echo err >&2; exit 5"], "0 0 1 1 *")
    with machine.scheduler("r1", never):
        done = machine.ask("r1", "run", "yearly", "id-of-it")
        [one] = machine.runs()
    assert (done.returncode, done.stdout, done.stderr) == (5, "out\n", "err\n")
    assert (one["id"], one["due"], one["outcome"], one["exit_code"]) == ("id-of-it", None, "failed", 5)


def test_one_that_somebody_asks_for_is_refused_beside_itself(machine: Machine) -> None:
    with machine.scheduler("r1", {**LONG, "stop_timeout": 0}):
        machine.await_runs(bool, "it has begun")
        done = machine.ask("r1", "run", "long", "another")
    assert (done.returncode, done.stderr) == (REFUSED, "the run before is still on its way\n")
    assert "another" not in {one["id"] for one in machine.runs()}


def test_one_that_is_not_there_is_refused(machine: Machine) -> None:
    with machine.scheduler("r1", TICK):
        done = machine.ask("r1", "run", "nobody", "another")
    assert (done.returncode, done.stderr) == (REFUSED, "release r1 has no schedule nobody\n")


def test_without_a_scheduler_nobody_answers(machine: Machine) -> None:
    assert "does not answer" in machine.ask("r1", "ready").stdout
    assert machine.ask("r1", "run", "tick", "another").returncode == REFUSED


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "curtainup").write_text("a file")
    command = [sys.executable, "-c", BEGIN, str(tmp_path), "nobody", "nothing", "runs"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "the scheduler cannot work as user" in done.stdout


def test_an_old_python_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(start, "OLDEST", (99, 0))
    told = start.begin()  # type: ignore[no-untyped-call]
    version = ".".join(map(str, sys.version_info[:2]))
    assert (
        told == f"the scheduler of curtainup needs Python 3.10 or newer; python3 of this image is {version}"
    )


def test_it_has_retired_once_its_last_run_has_ended(machine: Machine) -> None:
    may_end = machine.folder / "may-end"
    slow = schedule("slow", ["sh", "-c", f"until [ -e {may_end} ]; do sleep 0.1; done"], stop_timeout=60)
    with machine.scheduler("r1", slow) as first:
        machine.await_runs(bool, "it has begun")
        first.send_signal(signal.SIGTERM)
        machine.wait(lambda: state(machine)["retired"] is not None, "it has given the lead away")
        before = state(machine)["retired"]
        may_end.touch()
        first.wait(PATIENCE)
    [run, *_] = machine.runs()
    assert before < run["ended"] <= state(machine)["retired"]


@pytest.mark.parametrize("ends_meanwhile", [False, True])
def test_a_clock_that_was_wrong_for_a_while_silences_nothing(machine: Machine, ends_meanwhile: bool) -> None:
    month = 30 * 86400
    with ExitStack() as stack:
        first = stack.enter_context(machine.scheduler("r1", TICK))
        machine.await_runs(lambda now: bool(ended(now, "tick")), "it has run")
        machine.set_clock(month)
        machine.wait(lambda: is_ahead(machine, month), "it has run in the future")
        if ends_meanwhile:
            first.kill()
        machine.set_clock(0)
        release = "r2" if ends_meanwhile else "r1"
        if ends_meanwhile:
            stack.enter_context(machine.scheduler(release, TICK))
        machine.wait(
            lambda: machine.ask(release, "ready").returncode == 0 and not is_ahead(machine, 120), "it looks"
        )
        count = len(machine.runs())
        machine.await_runs(lambda now: len(now) > count + 1, "it runs again")
    assert "schedule tick: the clock was wrong: it had come to" in machine.said[release]


def test_a_clock_that_is_set_back_a_little_makes_nothing_due_again(machine: Machine) -> None:
    minutes = 30 * 60
    machine.set_clock(minutes)
    with machine.scheduler("r1", TICK):
        machine.await_runs(lambda now: bool(ended(now, "tick")), "it has run")
        machine.set_clock(0)
        machine.ask("r1", "ready")
    with machine.scheduler("r2", TICK):
        machine.wait(lambda: state(machine)["leader"] == machine.host("r2"), "the second leads")
        assert is_ahead(machine, minutes)
    found = [one["due"] for one in machine.runs() if one["schedule"] == "tick"]
    assert len(found) == len(set(found))
    assert {one["release"] for one in machine.runs()} == {"r1"}


def test_what_came_due_while_no_release_had_it_was_not_missed(machine: Machine) -> None:
    one = schedule("one", ["true"], start_within=1)
    with machine.scheduler("r1", one):
        machine.await_runs(lambda now: bool(ended(now, "one")), "it has run")
    told = state(machine)
    hour = timedelta(hours=1)
    told["retired"] = (datetime.fromisoformat(told["retired"]) - hour).isoformat()
    told["handled"]["one"]["at"] = (datetime.fromisoformat(told["handled"]["one"]["at"]) - hour).isoformat()
    machine.folder.joinpath("curtainup", "state.json").write_text(json.dumps(told))
    count = len(machine.runs())
    with machine.scheduler("r2", one):
        found = machine.await_runs(lambda now: len(now) > count, "it runs again")
    assert "missed" not in {one["outcome"] for one in found[count:]}
