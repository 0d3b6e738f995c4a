from __future__ import annotations

from pathlib import Path

import pytest

from curtainup.errors import CurtainupError
from curtainup.gates import GateResult
from curtainup.model.run import RunRecord
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


def test_of_many_records_only_those_that_name_the_release_are_parsed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorders = [Recorder(tmp_path, "hello", "deploy", environ={}) for _ in range(20)]
    result = GateResult(True, 3, (), 0, 0.5, tmp_path / "junit.xml", tmp_path / "pytest.log")
    for number in (3, 7):
        recorders[number].proved("live", "http://live", f"r{number}", "sha256:1", result)
    (recorders[9].folder / past_records.RECORD).write_text("{ r3")
    (tmp_path / "runs" / "20260612T101500.000000Z-deploy").mkdir()
    load = past_records.load
    parsed: list[Path] = []

    def noted(run: Path) -> RunRecord:
        parsed.append(run)
        return load(run)

    monkeypatch.setattr(past_records, "load", noted)
    found = past_records.find_proof(tmp_path, "hello", "live", "r3")
    assert found is not None
    assert found.release == "r3"
    assert parsed == [recorders[9].folder, recorders[3].folder]
    assert past_records.find_proof(tmp_path, "hello", "staging", "r3") is None
    assert past_records.find_proof(tmp_path, "other", "live", "r3") is None
    assert past_records.find_proof(tmp_path, "hello", "live", "r3", but=recorders[3].folder) is None
