from __future__ import annotations

from threading import Event
from typing import Any

import pytest

from curtainup.environments import opening
from curtainup.gates.health import Look
from curtainup.model.release import Deployment
from curtainup.targets.capabilities import OpensLate
from tests import samples

NOWHERE, WELL = Look(None, "GET /ping: HTTP 404"), Look("r0000001", None)


class Late(OpensLate):
    """A target whose way for users begins to lead there some time after it was made."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def opening(self) -> float:
        return self.seconds


class View:
    """An environment that answers as it is told, the last time for ever."""

    def __init__(self, target: Any, *looks: Look, deployment: Deployment | None = None) -> None:
        self.target, self.looks, self.asked = target, list(looks), 0
        self.deployment = samples.deployment(100) if deployment is None else deployment

    def look(self) -> Look:
        self.asked += 1
        return self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]


def _wait(view: View, cancelled: Event | None = None) -> list[str]:
    told: list[str] = []
    opening.wait(view, told.append, cancelled or Event())  # type: ignore[arg-type]
    return told


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "PAUSE", 0.001)


def test_a_gateway_that_leads_nowhere_yet_is_waited_for_and_said_once() -> None:
    view = View(Late(60), NOWHERE, NOWHERE, WELL, NOWHERE, WELL)
    assert _wait(view) == ["waiting until requests are led there: GET /ping: HTTP 404"]
    assert view.asked == 4 + opening.STEADY


def test_the_wait_ends_and_whoever_judges_sees_what_users_see() -> None:
    view = View(Late(0.05), NOWHERE)
    _wait(view)
    assert view.asked > 1


def test_a_run_that_stops_waits_for_nothing() -> None:
    cancelled = Event()
    cancelled.set()
    view = View(Late(60), NOWHERE)
    _wait(view, cancelled)
    assert view.asked == 0


def test_nobody_waits_where_the_way_is_there_at_once_or_leads_to_no_release() -> None:
    for view in (View(object(), NOWHERE), View(Late(60), NOWHERE, deployment=samples.deployment(0))):
        _wait(view)
        assert view.asked == 0
