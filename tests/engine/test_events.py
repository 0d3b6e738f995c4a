from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from pulumi.automation import OpType, StepEventMetadata

from curtainup.engine import events
from curtainup.engine.changes import Change
from curtainup.engine.events import Events, telling

URN = "urn:pulumi:shop-live::curtainup::gcp:cloudrunv2/service:Service::shop-live"


def _event(**parts: Any) -> Any:
    kinds = (
        "resource_pre_event",
        "res_outputs_event",
        "diagnostic_event",
        "summary_event",
        "res_op_failed_event",
    )
    return SimpleNamespace(**{**dict.fromkeys(kinds), **parts})


def _about(operation: str, provider: str = "gcp") -> Any:
    kind = "gcp:cloudrunv2/service:Service"
    step = StepEventMetadata(OpType(operation), URN, kind, provider)
    return SimpleNamespace(metadata=step)


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Events:
    monkeypatch.setattr(events, "QUIET", 0)
    monkeypatch.setattr(events, "LOOK", 0.01)
    return Events(lambda: None)


def test_what_is_under_way_is_said_until_it_ends(told: Events) -> None:
    told(_event(resource_pre_event=_about("update")))
    slowest = told.slowest()
    assert slowest is not None
    assert slowest[:2] == ("updating Service shop-live", "")
    said = SimpleNamespace(severity="info", message="waiting for the revision\n", urn=URN)
    told(_event(diagnostic_event=said))
    assert (told.slowest() or ("", ""))[1] == "waiting for the revision"
    told(_event(res_outputs_event=_about("update")))
    assert told.slowest() is None


def test_what_stays_the_same_is_not_under_way(told: Events) -> None:
    told(_event(resource_pre_event=_about("same")))
    assert told.slowest() is None


def test_a_component_is_under_way_by_its_parts_alone(told: Events) -> None:
    told(_event(resource_pre_event=_about("create", provider="")))
    assert told.slowest() is None


def test_what_changes_is_kept_by_resource(told: Events) -> None:
    for operation in ("same", "update"):
        told(_event(resource_pre_event=_about(operation)))
    assert told.resources == (Change("update", "gcp:cloudrunv2/service:Service", "shop-live"),)


def test_what_an_update_has_made_is_told_at_once_and_what_it_only_reads_is_not() -> None:
    made: list[str] = []
    told = Events(lambda: None, made.append)
    for operation in ("refresh", "delete"):
        told(_event(res_outputs_event=_about(operation)))
    assert made == []
    for operation in ("same", "update", "create"):
        told(_event(res_outputs_event=_about(operation)))
    assert made == ["gcp:cloudrunv2/service:Service"] * 3


def test_what_has_just_begun_is_not_worth_a_word() -> None:
    told = Events(lambda: None)
    told(_event(resource_pre_event=_about("create")))
    assert told.slowest() is None


def test_errors_and_counts_are_kept_and_every_event_is_a_sign_of_life() -> None:
    signs: list[int] = []
    told = Events(lambda: signs.append(1))
    told(_event(diagnostic_event=SimpleNamespace(severity="error", message="no\n", urn="")))
    told(_event(summary_event=SimpleNamespace(resource_changes={"create": 2})))
    assert (told.errors, told.changes, len(signs)) == (["no"], {"create": 2}, 2)


def test_what_failed_is_kept_by_its_urn() -> None:
    found = Events(lambda: None)
    found(_event(res_op_failed_event=_about("update")))
    assert found.failing == [URN]


def test_a_wait_is_told_once_and_again_when_what_is_said_of_it_changes(
    told: Events, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines: list[str] = []
    told(_event(resource_pre_event=_about("create")))
    with telling(told, lines.append):
        _wait_for(lines, 1)
        said = SimpleNamespace(severity="info", message="Launching", urn=URN)
        told(_event(diagnostic_event=said))
        _wait_for(lines, 2)
    assert lines == ["creating Service shop-live for 0 s", "creating Service shop-live for 0 s: Launching"]


def test_a_long_wait_is_told_again(told: Events, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "REPEAT", 0)
    lines: list[str] = []
    told(_event(resource_pre_event=_about("delete")))
    with telling(told, lines.append):
        _wait_for(lines, 3)
    assert set(lines) == {"deleting Service shop-live for 0 s"}


def _wait_for(lines: list[str], count: int) -> None:
    import time

    deadline = time.monotonic() + 120
    while len(lines) < count:
        assert time.monotonic() < deadline, lines
        time.sleep(0.005)
