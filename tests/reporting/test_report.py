from __future__ import annotations

import io
import os
import pty
import re
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest

from curtainup.errors import CurtainupError, StagingGateFailed
from curtainup.reporting import PlainReport, for_stream, render_error
from curtainup.reporting.text import clean, duration, one_line

RUN = """
import os, sys, threading
from curtainup.errors import StagingGateFailed
from curtainup.reporting import for_stream
report = for_stream(sys.stderr, quiet=False, environ=os.environ)
print(type(report).__name__)
report.info("[deploying] hello")
report.step_started("unit", "unit tests")
report.step_started("build", "build the image")
report.step_progress("build", "\\x1b[31mStep 1/9\\x1b[0m " + "x" * 300)
while "PAINTED" in os.environ and not os.path.exists(os.environ["PAINTED"]):
    threading.Event().wait(0.01)
report.step_finished("unit", "passed", 0.51, "12 tests")
report.warn("`docker_bucket` is obsolete")
report.step_finished("build", "failed", 75.2, "")
report.step_started("push", "push the image")
report.step_finished("push", "skipped", 0, "is there")
report.error(StagingGateFailed("tests failed", where="http://x", fix="mend it"))
"""
ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Terminal(io.StringIO):
    """A stream that says that it is a terminal."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def run_in_terminal(**environ: str) -> str:
    """What a run writes into a real pseudo-terminal of 80 columns; it goes on once its steps are seen."""
    ours, theirs = pty.openpty()
    kept = {name: value for name, value in os.environ.items() if name not in {"CI", "NO_COLOR"}}
    env = kept | {"TERM": "xterm-256color", "COLUMNS": "80", "LINES": "24"} | environ
    with tempfile.TemporaryDirectory() as folder:
        painted = Path(folder) / "painted"
        env["PAINTED"] = str(painted)
        with subprocess.Popen(
            [sys.executable, "-c", RUN], stdin=theirs, stdout=theirs, stderr=theirs, env=env
        ) as run:
            os.close(theirs)
            written = bytearray()
            try:
                while piece := os.read(ours, 65536):
                    written += piece
                    if b"Step 1/9" in written:
                        painted.touch()
            except OSError:  # a pseudo-terminal ends with EIO
                pass
    os.close(ours)
    assert run.returncode == 0, written.decode()
    return written.decode()


def lines_of(text: str) -> list[str]:
    """The lines, each as it was when it was last written over, without trailing spaces."""
    return [ANSI.sub("", line.split("\x1b[2K")[-1]).rstrip() for line in text.replace("\r", "").split("\n")]


def test_a_terminal_shows_ended_steps_as_lines() -> None:
    lines = lines_of(run_in_terminal())
    assert lines[0] == "TerminalReport"
    assert "[deploying] hello" in lines
    assert "✓ unit tests  0.5 s  12 tests" in lines
    assert "✗ build the image FAILED  1 min 15 s" in lines
    assert "- push the image  skipped  is there" in lines
    assert "warning: `docker_bucket` is obsolete" in lines
    assert "error: tests failed" in lines
    assert "    fix:   mend it" in lines


def test_a_terminal_shows_all_steps_under_way_within_its_width() -> None:
    text = run_in_terminal()
    frames = [ANSI.sub("", frame) for frame in re.split(r"[\r\n]+", text)]
    assert any(re.search(r"[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏] unit tests  \d+\.\d s", frame) for frame in frames)
    building = [frame for frame in frames if "Step 1/9" in frame]
    assert building
    assert all(frame.endswith("…") and len(frame) <= 80 for frame in building)
    assert text.count("\x1b[?25l") == text.count("\x1b[?25h"), "the cursor must be back"


def test_no_color_takes_the_colours_and_leaves_the_spinners() -> None:
    text = run_in_terminal(NO_COLOR="1")
    assert text.startswith("TerminalReport")
    assert not re.search(r"\x1b\[(?:\d+;)*3[0-7]", text)
    assert "\x1b[3" in run_in_terminal()


@pytest.mark.parametrize("environ", [{"CI": "true"}, {"TERM": "dumb"}])
def test_ci_and_dumb_terminals_get_plain_lines(environ: dict[str, str]) -> None:
    text = run_in_terminal(**environ)
    assert text.startswith("PlainReport")
    assert "\x1b" not in text


def test_a_pipe_gets_plain_lines_at_once() -> None:
    ended = subprocess.run([sys.executable, "-c", RUN], capture_output=True, text=True, check=True)
    assert ended.stdout == "PlainReport\n"
    shape = re.sub(r"^\[ *\d+\.\ds\]", "[T]", ended.stderr, flags=re.MULTILINE)
    assert shape.splitlines() == [
        "[T] [deploying] hello",
        "[T] unit: unit tests",
        "[T] build: build the image",
        "[T] build: ... Step 1/9 " + "x" * 300,
        "[T] unit: done in 0.5 s, 12 tests",
        "warning: `docker_bucket` is obsolete",
        "[T] build: FAILED in 1 min 15 s",
        "[T] push: push the image",
        "[T] push: skipped, is there",
        "error: tests failed",
        "    where: http://x",
        "    fix:   mend it",
    ]


def test_quiet_shows_warnings_and_errors_only() -> None:
    stream = Terminal()
    report = for_stream(stream, quiet=True, environ={"TERM": "xterm"})
    report.info("a")
    report.step_started("build", "b")
    report.step_progress("build", "c")
    report.step_finished("build", "passed", 1, "d")
    report.warn("careful")
    report.error(CurtainupError("over"))
    assert stream.getvalue() == "warning: careful\nerror: over\n"


def test_a_stream_that_is_not_utf8_gets_plain_lines_it_can_take(tmp_path: Path) -> None:
    with (tmp_path / "log").open("w", encoding="ascii") as stream:
        report = for_stream(stream, quiet=False, environ={})
        report.warn("zwölf ✓")
    assert (tmp_path / "log").read_text() == "warning: zw\\xf6lf \\u2713\n"


def test_plain_lines_repeat_nothing_and_skip_empty_progress() -> None:
    stream = io.StringIO()
    report = PlainReport(stream)
    for text in ("pulling", "pulling", "", "\n", "done"):
        report.step_progress("image", text)
    assert [line.split("] ")[1] for line in stream.getvalue().splitlines()] == [
        "image: ... pulling",
        "image: ... done",
    ]


def test_lines_of_several_threads_stay_whole() -> None:
    stream = io.StringIO()
    report = PlainReport(stream)

    def say(number: int) -> None:
        for _ in range(50):
            report.info(str(number) * 100)

    threads = [threading.Thread(target=say, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lines = stream.getvalue().splitlines()
    assert len(lines) == 200
    assert all(re.fullmatch(r"\[ *\d+\.\ds\] (\d)\1{99}", line) for line in lines)


def test_an_error_says_what_where_so_and_fix_and_then_the_detail() -> None:
    error = StagingGateFailed(
        "acceptance tests on staging failed: 1 of 5",
        where="http://127.0.0.1:8081",
        consequence="live is untouched",
        fix="mend it, or\nask",
        detail="\ntest_ping\n  assert 500 == 200\n",
    )
    assert render_error(error) == (
        "error: acceptance tests on staging failed: 1 of 5\n"
        "    where: http://127.0.0.1:8081\n"
        "    so:    live is untouched\n"
        "    fix:   mend it, or\n"
        "           ask\n"
        "\n"
        "    test_ping\n"
        "      assert 500 == 200"
    )


def test_an_error_with_nothing_more_is_one_line() -> None:
    assert render_error(CurtainupError("over", detail=" \n")) == "error: over"


def test_what_containers_print_cannot_move_the_cursor() -> None:
    assert clean("\x1b[2J\x1b]0;title\x07\x1b[1;31mred\x1b[0m\r\x08\tok\n") == "red\tok\n"
    assert one_line(" a\n\x1b[31mb\x1b[0m  c ") == "a b c"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.04, "0.0 s"), (12.34, "12.3 s"), (59.96, "1 min 00 s"), (125, "2 min 05 s")],
)
def test_durations_for_people(seconds: float, text: str) -> None:
    assert duration(seconds) == text
