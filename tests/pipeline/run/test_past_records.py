from __future__ import annotations

from pathlib import Path

import pytest

from curtainup.errors import CurtainupError
from curtainup.pipeline.run import past_records
from curtainup.pipeline.run.record import Recorder


def test_no_run_yet(tmp_path: Path) -> None:
    assert past_records.runs(tmp_path) == ()
    assert past_records.latest(tmp_path) is None


def test_the_latest_run_is_the_last_that_began(tmp_path: Path) -> None:
    for command in ("deploy", "test", "rollback"):
        Recorder(tmp_path, "hello", command, environ={})
    found = past_records.latest(tmp_path)
    assert found is not None
    assert found.command == "rollback"


def test_a_folder_without_a_record_is_no_run(tmp_path: Path) -> None:
    (tmp_path / "runs" / "20260612T101500.000000Z-deploy").mkdir(parents=True)
    assert past_records.runs(tmp_path) == ()


@pytest.mark.parametrize("text", ["{", '{"schema_version": 2}', "[]"])
def test_what_is_no_record_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "record.json").write_text(text)
    with pytest.raises(CurtainupError) as caught:
        past_records.load(tmp_path)
    assert caught.value.where == str(tmp_path / "record.json")
