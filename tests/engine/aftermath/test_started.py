from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

import pytest

from curtainup.engine.aftermath import started


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path / f"curtainup-{os.getuid()}" / "engines"


def test_a_process_is_found_until_it_is_forgotten() -> None:
    started.note(4711)
    [found] = started.find(4711)
    assert (found.pid, found.boot, found.namespace) == (4711, started.boot(), started.namespace())
    assert started.find(47) == []
    started.forget(4711)
    assert started.find(4711) == []


def test_nobody_else_can_read_the_notes(folder: Path) -> None:
    started.note(1)
    assert [one.stat().st_mode & 0o777 for one in (folder.parent, folder)] == [0o700, 0o700]


def test_notes_that_somebody_else_could_have_written_do_not_count(folder: Path) -> None:
    started.note(1)
    folder.chmod(0o777)
    assert started.find(1) == []


def test_a_link_in_the_place_of_the_folder_is_not_followed(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere" / "engines").mkdir(parents=True, mode=0o700)
    folder.parent.symlink_to(tmp_path / "elsewhere")
    started.note(1)
    assert list((tmp_path / "elsewhere" / "engines").iterdir()) == []


def test_old_notes_are_dropped(folder: Path) -> None:
    started.note(1)
    [file] = folder.iterdir()
    os.utime(file, (0, time.time() - started.KEPT - 1))
    started.note(2)
    assert started.find(1) == []
    assert len(started.find(2)) == 1


def test_a_folder_that_cannot_be_made_stops_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "file" / "below"))
    (tmp_path / "file").touch()
    started.note(1)
    started.forget(1)
    assert started.find(1) == []
