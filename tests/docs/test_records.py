"""docs/records.md names every field of a record and of the probe's figures, and no other."""

from __future__ import annotations

import dataclasses
import inspect
import re
import typing

from pydantic import BaseModel

from curtainup.gates import tally
from curtainup.gates.probe import Probe
from curtainup.model import run
from tests import docs_pages

PAGE = docs_pages.DOCS / "records.md"
RECORD, PROBE = PAGE.read_text(encoding="utf-8").split("## probe.json")
LISTED: dict[str, type[BaseModel]] = {
    "source": run.SourceRecord,
    "image": run.ImageRecord,
    "steps": run.StepRecord,
    "suites": run.SuiteRecord,
    "tasks": run.TaskRecord,
    "traffic": run.TrafficMove,
    "result": run.RunResult,
    "who": run.Who,
}
"""The models whose fields stand in the row of a field of the record."""


def told(text: str) -> set[str]:
    return set(re.findall(r"`(\w+)`", text))


def fields(model: type[BaseModel]) -> set[str]:
    return {one.alias or name for name, one in model.model_fields.items()}


def rows() -> dict[str, str]:
    found = docs_pages.rows(PAGE, "field")
    return {name: cells[1] for cells in found for name in told(cells[0])}


def test_the_fields_of_a_record_are_told() -> None:
    probes = {one.name for one in dataclasses.fields(tally.ProbeResult)}
    assert set(rows()) == fields(run.RunRecord) | probes


def test_the_fields_of_its_parts_are_told() -> None:
    missing = {name: fields(model) - told(rows()[name]) for name, model in LISTED.items()}
    assert {name: left for name, left in missing.items() if left} == {}


def test_the_fields_of_a_proof_are_told() -> None:
    sentence = RECORD.partition("A proof has ")[2].partition(".")[0]
    assert told(sentence) == fields(run.Proof)


def test_every_outcome_is_told() -> None:
    outcomes = {name for cells in docs_pages.rows(PAGE, "`outcome`") for name in told(cells[0])}
    assert outcomes == set(typing.get_args(run.RunResult.model_fields["outcome"].annotation))
    assert set(typing.get_args(run.Outcome)) <= told(rows()["steps"])


def test_the_fields_of_the_probe_s_parts_are_told() -> None:
    parts = (tally.Failure, tally.Phase, tally.Segment)
    wanted = {one.name for part in parts for one in dataclasses.fields(part)}
    assert wanted - told(PROBE) == set()


def test_the_probe_is_as_patient_as_the_page_says() -> None:
    timeout = inspect.signature(Probe).parameters["timeout"].default
    assert f"no whole answer within {timeout:g} s" in PROBE
    assert f"the first {tally.MOST_FAILURES}" in PROBE
