from __future__ import annotations

import os
import re
import signal
import subprocess
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from curtainup.errors import Busy
from curtainup.pipeline.run import lock
from tests.processes import holding

HOLD = """
import sys
from pathlib import Path
from curtainup.pipeline.run import lock
sys.argv = ["curtainup", "deploy", "live", "hidden"]
with lock.held(Path({folder!r}), "shop"):
    print("held", flush=True)
    sys.stdin.read()
"""


def _holder(folder: Path) -> AbstractContextManager[subprocess.Popen[str]]:
    """Another process that holds the lock of `shop`."""
    return holding(HOLD.format(folder=str(folder)))


def _refused(folder: Path) -> Busy:
    with pytest.raises(Busy) as caught, lock.held(folder, "shop"):
        pytest.fail("the lock was given twice")
    return caught.value


def test_another_process_is_told_who_holds_the_lock(tmp_path: Path) -> None:
    with _holder(tmp_path) as other:
        error = _refused(tmp_path)
    assert error.what == "another run of shop is under way"
    assert re.fullmatch(
        rf"process {other.pid}: curtainup deploy live, since \d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d UTC",
        str(error.where),
    )
    assert error.fix


def test_a_killed_holder_leaves_no_lock(tmp_path: Path) -> None:
    with _holder(tmp_path) as other:
        other.send_signal(signal.SIGKILL)
        other.wait()
        assert (tmp_path / "shop.holder.json").exists()
        with lock.held(tmp_path, "shop"):
            assert f'"pid": {os.getpid()}' in (tmp_path / "shop.holder.json").read_text()


def test_the_refused_one_leaves_the_holder_s_note(tmp_path: Path) -> None:
    with lock.held(tmp_path, "shop"):
        _refused(tmp_path)
        assert (tmp_path / "shop.holder.json").exists()
        _refused(tmp_path)


def test_a_lock_is_given_back_after_a_failure(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), lock.held(tmp_path, "shop"):
        raise ZeroDivisionError
    with lock.held(tmp_path, "shop"):
        pass
    assert not (tmp_path / "shop.holder.json").exists()


def test_services_do_not_wait_for_each_other(tmp_path: Path) -> None:
    with lock.held(tmp_path / "new", "shop"), lock.held(tmp_path / "new", "shop2"):
        pass


def test_an_unreadable_note_still_names_the_lock(tmp_path: Path) -> None:
    with lock.held(tmp_path, "shop"):
        (tmp_path / "shop.holder.json").write_text("{")
        assert _refused(tmp_path).where == str(tmp_path / "shop.lock")
