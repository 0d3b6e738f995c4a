"""Only a service that this very update made is removed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from threading import Event
from typing import Any

import pytest

from curtainup.errors import Interrupted
from curtainup.platforms.google.api import Refused
from curtainup.targets.cloud_run import unseen
from tests.components.cloud_run.samples import environment
from tests.rehearsal.refusals import rows

STARTED = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)
NAME = "projects/team-1/locations/europe-west1/services/shop-live"
OWN = {"curtainup-service": "shop", "curtainup-environment": "live"}
MISSING = Refused(404, "NOT_FOUND", "Resource 'shop-live' was not found.")


class Api:
    """Cloud Run with one service, which is still there for some looks after its removal."""

    def __init__(self, service: dict[str, Any] | None, lasting: int = 1) -> None:
        self.service, self.lasting = service, lasting
        self.calls: list[tuple[str, str]] = []

    def run(self, method: str, name: str) -> dict[str, Any]:
        self.calls.append((method, name))
        if method == "DELETE":
            return {}
        if ("DELETE", name) in self.calls:
            self.lasting -= 1
        if self.service is None or self.lasting < 0:
            raise MISSING
        return self.service


def reclaimed(api: Api, cancelled: Event | None = None) -> bool:
    found: Any = api
    return unseen.reclaim(found, environment(), STARTED, lambda _: None, cancelled or Event())


def service(after: float, **changed: Any) -> dict[str, Any]:
    made = STARTED + timedelta(seconds=after)
    return {"createTime": f"{made:%Y-%m-%dT%H:%M:%S}.123456789Z", "labels": OWN, **changed}


def test_what_the_update_made_is_removed_and_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unseen, "PAUSE", 0.001)
    api = Api(service(3), lasting=2)
    assert reclaimed(api)
    assert [method for method, _ in api.calls] == ["GET", "DELETE", "GET", "GET", "GET"]
    assert {name for _, name in api.calls} == {NAME}


@pytest.mark.parametrize(
    "found",
    [
        service(-3),
        service(3, labels={}),
        service(3, labels={**OWN, "curtainup-environment": "staging"}),
        service(3, labels={**OWN, "curtainup-service": "other"}),
        None,
    ],
    ids=["older", "without labels", "of staging", "another's", "none"],
)
def test_any_other_service_stays(found: dict[str, Any] | None) -> None:
    api = Api(found)
    assert not reclaimed(api)
    assert [method for method, _ in api.calls] == ["GET"]


def test_one_that_does_not_go_is_told_as_the_error_that_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unseen, "PAUSE", 0.0)
    assert not reclaimed(Api(service(3), lasting=10**6))


def test_ctrl_c_ends_the_wait() -> None:
    cancelled = Event()
    cancelled.set()
    with pytest.raises(Interrupted):
        reclaimed(Api(service(3)), cancelled)


def test_it_is_known_by_what_google_says() -> None:
    [row] = [one for one in rows() if one["refusal"] == "service-exists"]
    assert unseen.was_made(row["text"])
    assert not unseen.was_made("googleapi: Error 409: Service account shop already exists")
