from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

import psutil
import pytest

from curtainup.util import chunks, descendants, process
from curtainup.util.line_log import MOST, LineLog
from curtainup.util.process import LONGEST_LINE, Ended, Lines


def lines_of(*pieces: bytes) -> list[str]:
    said: list[str] = []
    lines = Lines(said.append)
    for piece in pieces:
        lines.feed(piece)
    lines.close()
    return said


@pytest.mark.parametrize(
    ("pieces", "said"),
    [
        ([b"a\nb\r\n", b"c"], ["a", "b", "c"]),
        ([b"a", b"b", b"\n", b"\n"], ["ab", ""]),
        ([b"\xc3", b"\xa9\xff\n"], ["é\ufffd"]),
        ([b""], []),
    ],
)
def test_bytes_become_lines(pieces: list[bytes], said: list[str]) -> None:
    assert lines_of(*pieces) == said


def test_of_a_line_without_end_the_beginning_is_kept() -> None:
    (line, rest) = lines_of(*[b"x" * 65536] * 1024, b"\nrest")
    assert line == "x" * LONGEST_LINE + f"… ({1023 * 65536} bytes more)"
    assert rest == "rest"


def test_of_a_container_s_line_without_end_the_beginning_is_kept() -> None:
    stream = [b"2026-01-01T00:00:00.000000000Z " + b"x" * 16384] * 4096 + [b"2026-01-01T00:00:01Z y\n"]
    ((stamp, line),) = chunks.whole(stream)
    assert stamp == "2026-01-01T00:00:00.000000000Z"
    assert len(line) < LONGEST_LINE + 100


def test_a_log_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("curtainup.util.line_log.MOST", 20)
    with LineLog(tmp_path / "log", str) as log:
        for number in range(1000):
            log.add(f"line {number}")
    assert (tmp_path / "log").read_text() == "line 0\nline 1\n… (the rest is left out)\n"
    assert log.end[-1] == "line 999"
    assert MOST > 1 << 20


STARTS = """
import os, subprocess, sys
sleeper = [sys.executable, "-c", "import signal, time; signal.signal(2, 1); time.sleep(600)"]
one = subprocess.Popen(sleeper, start_new_session=True, stdout=-3, stderr=-3)
if os.fork() == 0:
    os.setsid()
    os.closerange(0, 3)
    if os.fork() == 0:
        os.execv(sys.executable, sleeper)
    os._exit(0)
print(one.pid, flush=True)
"""


@pytest.mark.parametrize("how", ["", "while True: pass"])
def test_what_a_process_leaves_running_is_ended_in_any_session(tmp_path: Path, how: str) -> None:
    said: list[str] = []
    argv = [sys.executable, "-c", f"{STARTS}\n{how}"]
    running = process.start(lambda _: argv, cwd=tmp_path, env=dict(os.environ))
    mark = next(iter(marks(running)))
    done = running.follow(on_line=said.append, timeout=60 if not how else 1, cancel=threading.Event())

    assert done.ended is (Ended.TIMED_OUT if how else Ended.BY_ITSELF)
    assert not [one for one in psutil.process_iter() if mark in variables(one)]
    assert not psutil.pid_exists(int(said[0])) or psutil.Process(int(said[0])).status() == "zombie"


def test_processes_of_others_are_left_alone(tmp_path: Path) -> None:
    argv = [sys.executable, "-c", "import time; time.sleep(600)"]
    other = process.start(lambda _: argv, cwd=tmp_path, env=dict(os.environ))
    one = process.start(lambda _: [sys.executable, "-c", ""], cwd=tmp_path, env=dict(os.environ))
    one.follow(on_line=lambda _: None, timeout=60, cancel=threading.Event())
    assert not other._child.has_ended()
    other.stop()


def marks(running: process.Running) -> set[str]:
    return {running._mark}


def variables(one: psutil.Process) -> str:
    try:
        return one.environ().get(descendants.VARIABLE, "")
    except (psutil.Error, OSError):
        return ""
