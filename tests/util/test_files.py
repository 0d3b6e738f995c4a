from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from curtainup.util.files import write_atomically


def test_writes_with_the_mode_that_is_asked_for(tmp_path: Path) -> None:
    file = tmp_path / "file"
    write_atomically(file, "größe\n", 0o600)
    assert file.read_bytes() == "größe\n".encode()
    assert file.stat().st_mode & 0o777 == 0o600


def test_the_same_text_is_left_alone_yet_gets_its_mode(tmp_path: Path) -> None:
    file = tmp_path / "file"
    write_atomically(file, "text", 0o644)
    before = file.stat()
    write_atomically(file, "text", 0o600)
    assert file.stat().st_ino == before.st_ino
    assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("old", [b"a\r\nb", b"\xff\xfe"])
def test_other_bytes_are_another_text(tmp_path: Path, old: bytes) -> None:
    file = tmp_path / "file"
    file.write_bytes(old)
    write_atomically(file, "a\nb")
    assert file.read_bytes() == b"a\nb"


def test_a_failure_leaves_the_old_file_and_nothing_besides(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("old")
    with pytest.raises(UnicodeEncodeError):
        write_atomically(file, "\ud800")
    assert file.read_text() == "old"
    assert os.listdir(tmp_path) == ["file"]  # noqa: PTH208 - names are what is asked


def test_a_folder_in_the_way_is_an_error_that_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").mkdir()
    with pytest.raises(OSError, match="file"):
        write_atomically(tmp_path / "file", "text")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_reader_sees_one_text_or_the_other(tmp_path: Path) -> None:
    file = tmp_path / "file"
    texts = ["a" * 100_000, "b" * 100_000]
    write_atomically(file, texts[0])
    done = threading.Event()

    def write() -> None:
        for number in range(200):
            write_atomically(file, texts[number % 2])
        done.set()

    writer = threading.Thread(target=write)
    writer.start()
    seen = set()
    while not done.is_set():
        seen.add(file.read_text())
    writer.join()
    assert seen <= set(texts)
