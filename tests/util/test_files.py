from __future__ import annotations

import errno
import os
import resource
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from curtainup.util.files import create_durably, private_folder, read_bounded, write_atomically


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


def test_a_file_is_created_once_for_its_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / "key"
    create_durably(file, "first")
    create_durably(file, "second")
    assert file.read_text() == "first"
    assert file.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [file]


def test_a_file_that_cannot_be_written_whole_is_not_created(tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2, before[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            create_durably(tmp_path / "key", "longer than two bytes")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert list(tmp_path.iterdir()) == []


def test_of_many_that_create_a_file_one_wins_and_all_see_it(tmp_path: Path) -> None:
    seen = set()

    def create(number: int) -> None:
        create_durably(tmp_path / "key", str(number))
        seen.add((tmp_path / "key").read_text())

    threads = [threading.Thread(target=create, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 1
    assert list(tmp_path.iterdir()) == [tmp_path / "key"]


def test_a_file_within_the_bound_is_read(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"12345")
    assert read_bounded(tmp_path / "file", 5) == b"12345"


@pytest.mark.parametrize(
    ("make", "number"),
    [
        (lambda file: file.write_bytes(b"123456"), errno.EFBIG),
        (os.mkfifo, errno.EINVAL),
        (lambda file: file.symlink_to("/dev/zero"), errno.EINVAL),
        (lambda file: file.mkdir(), errno.EISDIR),
        (lambda file: file.symlink_to(file), errno.ELOOP),
        (lambda _: None, errno.ENOENT),
    ],
)
def test_nothing_else_is_read(tmp_path: Path, make: Callable[[Path], object], number: int) -> None:
    make(tmp_path / "file")
    with pytest.raises(OSError, match="file") as caught:
        read_bounded(tmp_path / "file", 5)
    assert caught.value.errno == number


def test_a_private_folder_is_this_user_s_alone_even_if_it_was_there(tmp_path: Path) -> None:
    for folder in (tmp_path / "a" / "b", tmp_path / "a" / "b"):
        folder.mkdir(parents=True, exist_ok=True, mode=0o755)
        assert private_folder(folder).stat().st_mode & 0o777 == 0o700
