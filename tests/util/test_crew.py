from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from curtainup.util.crew import Crew, Ended, Piece

Lines = list[tuple[str, str]]
SENDER = """
import os, pathlib, sys, time
folder, pid, number = pathlib.Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
while len(list(folder.iterdir())) < 2:
    time.sleep(0.01)
os.kill(pid, number)
"""
"""Sends a signal once two pieces are at work."""


def run(pieces: list[Piece], most: int = 4) -> tuple[list[Ended], Lines]:
    lines: Lines = []
    ended = Crew(pieces, most, lambda name, line: lines.append((name, line))).run()
    return ended, lines


def says(out: str, err: str = "", code: int = 0) -> Callable[[], int]:
    def work() -> int:
        print(out)
        print(err, file=sys.stderr)
        return code

    return work


def test_what_pieces_print_is_kept_apart() -> None:
    ended, lines = run([Piece("a", says("1", "x\ny")), Piece("b", says("2", "z", 7))])
    assert [(one.name, one.code, one.out) for one in ended] == [("a", 0, "1\n"), ("b", 7, "2\n")]
    assert [line for name, line in lines if name == "a"] == ["x", "y"]
    assert [line for name, line in lines if name == "b"] == ["z"]


def test_a_line_without_an_end_and_a_long_output_come_whole() -> None:
    def work() -> int:
        sys.stdout.write("x" * 1_000_000)
        sys.stderr.write("no end ä")
        return 0

    ended, lines = run([Piece("a", work)])
    assert len(ended[0].out) == 1_000_000
    assert lines == [("a", "no end ä")]


def test_a_piece_begins_after_those_that_it_needs(tmp_path: Path) -> None:
    def write(name: str) -> Callable[[], int]:
        def work() -> int:
            with (tmp_path / "order").open("a") as file:
                file.write(name)
            return 0

        return work

    pieces = [Piece("a", write("a")), Piece("b", write("b"), ("a",)), Piece("c", write("c"), ("a", "b"))]
    run(pieces)
    assert (tmp_path / "order").read_text() == "abc"


def test_what_needs_a_failed_piece_does_not_begin_and_others_do() -> None:
    pieces = [
        Piece("a", says("", code=3)),
        Piece("b", says("never"), ("a",)),
        Piece("c", says("never"), ("b",)),
        Piece("d", says("yes")),
    ]
    ended, _ = run(pieces, 1)
    assert [(one.code, one.because) for one in ended] == [(3, ""), (None, "a"), (None, "b"), (0, "")]


def test_no_more_run_at_once_than_allowed(tmp_path: Path) -> None:
    def work() -> int:
        mine = tmp_path / str(os.getpid())
        mine.touch()
        print(len(list(tmp_path.iterdir())))
        time.sleep(0.05)
        mine.unlink()
        return 0

    ended, _ = run([Piece(str(number), work) for number in range(6)], 2)
    assert max(int(one.out) for one in ended) <= 2


def test_a_defect_is_told_and_has_an_exit_code() -> None:
    def work() -> int:
        raise RuntimeError("a defect")

    ended, lines = run([Piece("a", work)])
    assert ended[0].code == 1
    assert ("a", "RuntimeError: a defect") in lines


def test_what_a_piece_has_left_running_keeps_nobody_waiting(tmp_path: Path) -> None:
    def work() -> int:
        left = subprocess.Popen(["sleep", "60"])
        print(left.pid)
        return 0

    ended, _ = run([Piece("a", work)])
    os.kill(int(ended[0].out), signal.SIGKILL)
    assert ended[0].code == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_reaches_all_that_run_and_no_other_begins(tmp_path: Path, number: signal.Signals) -> None:
    def work() -> int:
        heard = threading.Event()
        signal.signal(number, lambda *_: heard.set())
        (tmp_path / str(os.getpid())).touch()
        while not heard.wait(0.01):
            pass
        print("undone", file=sys.stderr)
        return 130

    before = signal.getsignal(number)
    arguments = (SENDER, str(tmp_path), str(os.getpid()), str(int(number)))
    sender = subprocess.Popen([sys.executable, "-c", *arguments])
    ended, lines = run([Piece(name, work) for name in "abc"], 2)
    sender.wait()
    assert [one.code for one in ended] == [130, 130, None]
    assert sorted(lines) == [("a", "undone"), ("b", "undone")]
    assert signal.getsignal(number) is before


def test_pieces_end_with_whoever_has_begun_them(tmp_path: Path) -> None:
    script = f"""
import pathlib, signal, sys, time
from curtainup.util.crew import Crew, Piece
folder = pathlib.Path({str(tmp_path)!r})

def work():
    def heard(*_):
        for _ in range(10_000):
            print("nobody reads this", file=sys.stderr)
        (folder / "undone").touch()
        raise SystemExit
    signal.signal(signal.SIGTERM, heard)
    (folder / "begun").touch()
    while True:
        time.sleep(0.01)

Crew([Piece("a", work)], 1, lambda *_: None).run()
"""
    parent = subprocess.Popen([sys.executable, "-c", script])
    while not (tmp_path / "begun").exists():
        time.sleep(0.01)
    parent.kill()
    parent.wait()
    while not (tmp_path / "undone").exists():
        time.sleep(0.01)
