from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from curtainup.errors import DiskFull
from curtainup.util import full_disk
from curtainup.util.files import write_atomically


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 64 KiB and 16 inodes."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=64k,nr_inodes=16", "cu-full", str(folder)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("mounts are not allowed here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def _touch(folder: Path) -> None:
    for number in range(100):
        (folder / str(number)).touch()


@pytest.mark.parametrize(
    ("number", "what"),
    [
        (errno.ENOSPC, "no space is left on the disk"),
        (errno.EDQUOT, "the disk quota is used up"),
        (errno.EROFS, "the disk is read-only"),
    ],
)
def test_what_keeps_a_file_from_being_written_is_told_with_its_place(number: int, what: str) -> None:
    with pytest.raises(DiskFull, match=what) as caught, full_disk.told():
        raise OSError(number, os.strerror(number), "/srv/state/file")
    assert caught.value.where == "/srv/state/file"
    assert caught.value.exit_code == 18


def test_any_other_error_stays_what_it_is() -> None:
    with pytest.raises(PermissionError), full_disk.told():
        raise PermissionError(errno.EACCES, "Permission denied", "/srv/state/file")


def test_no_place_for_temporary_files_is_a_full_disk() -> None:
    """Python gives that error the number of a file that is missing."""
    with pytest.raises(DiskFull), full_disk.told():
        raise FileNotFoundError(errno.ENOENT, "No usable temporary directory found in ['/tmp']")


def test_a_file_that_is_written_atomically_is_named(disk: Path) -> None:
    with pytest.raises(DiskFull) as caught, full_disk.told():
        write_atomically(disk / "record.json", "x" * 100_000)
    assert str(caught.value.where).startswith(str(disk))
    assert list(disk.iterdir()) == []


def test_without_inodes_the_place_is_told(disk: Path) -> None:
    with pytest.raises(DiskFull) as caught, full_disk.told():
        _touch(disk)
    assert str(caught.value.where).startswith(str(disk))


def test_the_full_disk_is_found_when_the_error_names_no_file(
    disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(disk)
    with pytest.raises(DiskFull) as caught, full_disk.told():
        (disk / "file").write_bytes(b"x" * 200_000)
    assert str(disk) in str(caught.value.where)


@pytest.mark.parametrize("folder", ["XDG_DATA_HOME", "XDG_CACHE_HOME"])
def test_a_command_whose_folders_cannot_be_written_ends_with_18(
    disk: Path, tmp_path: Path, folder: str
) -> None:
    (tmp_path / "pym-config.yaml").write_text("name: shop\n")
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    env = {**os.environ, "XDG_DATA_HOME": str(tmp_path / "data"), folder: str(disk), "HOME": str(tmp_path)}
    for name in ("PULUMI_BACKEND_URL", "PULUMI_HOME", "CI"):
        env.pop(name, None)
    command = [sys.executable, "-P", "-m", "curtainup", "history"]
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    if folder == "XDG_CACHE_HOME" and done.returncode == 0:
        return  # it had nothing to write there
    assert done.returncode == 18, done.stderr
    assert str(disk) in done.stderr
    assert "Traceback" not in done.stderr
