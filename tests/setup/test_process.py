from __future__ import annotations

import sys
from pathlib import Path

import pytest

from curtainup.errors import SetupError
from curtainup.setup import process
from curtainup.setup.process import last_lines, run
from tests.clocks import Clock
from tests.processes import wait_for_end
from tests.setup.conftest import Script, silent


def test_both_streams_are_returned(script: Script) -> None:
    tool = script("tool", "echo to stdout; echo to stderr >&2")
    assert run([tool], "trying", silent, timeout=120) == "to stdout\nto stderr\n"


def test_variables_and_folder_are_the_given_ones(script: Script, tmp_path: Path) -> None:
    tool = script("tool", 'echo "$GREETING"; pwd')
    said = run([tool], "trying", silent, timeout=120, env={"GREETING": "hello"}, cwd=tmp_path)
    assert said.splitlines() == ["hello", str(tmp_path)]


def test_a_failure_says_what_was_done_and_the_last_words(script: Script) -> None:
    tool = script("tool", "for n in $(seq 100); do echo line $n; done; exit 3")
    with pytest.raises(SetupError, match="trying failed") as caught:
        run([tool], "trying", silent, timeout=120)
    assert caught.value.detail is not None
    assert caught.value.detail.splitlines()[-1] == "line 100"
    assert "line 80" not in caught.value.detail


def test_a_tool_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="absent cannot be started"):
        run([tmp_path / "absent"], "trying", silent, timeout=120)


def test_a_tool_that_takes_too_long_is_ended_with_what_it_started(
    script: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    child, hangs = tmp_path / "child", tmp_path / "hangs"
    tool = script("tool", f"echo waiting; sleep 600 & echo $! > {child}; : > {hangs}; wait")
    monkeypatch.setattr(process, "time", Clock(hangs.exists))
    with pytest.raises(SetupError, match="took longer than 600 s") as caught:
        run([tool], "trying", silent, timeout=600, every=0.05)
    assert caught.value.detail == "waiting"
    wait_for_end(int(child.read_text()))


def test_a_long_run_shows_signs_of_life(tmp_path: Path) -> None:
    """The tool waits until its sign of life was seen, so no timing is guessed."""
    seen = tmp_path / "seen"
    waits = f"import pathlib, time\nprint('compiling', flush=True)\np = pathlib.Path({str(seen)!r})\n"
    waits += "while not p.exists(): time.sleep(0.01)"
    told: list[str] = []

    def report(line: str) -> None:
        told.append(line)
        if "compiling" in line:
            seen.touch()

    run([sys.executable, "-c", waits], "building", report, timeout=120, every=0.05)
    assert "so far (compiling)" in told[-1]


def test_blank_lines_are_no_last_words() -> None:
    assert last_lines("one\n\n \ntwo\n\n") == "one\ntwo"
