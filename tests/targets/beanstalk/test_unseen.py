"""Only a Beanstalk environment that this very update made is terminated."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from threading import Event
from typing import Any

import pytest

from curtainup.errors import Interrupted
from curtainup.targets.beanstalk import unseen
from tests.rehearsal.refusals import rows

STARTED = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)
NAME, APPLICATION = "shop-live-r1", "shop-live"


class Client:
    """Beanstalk with one environment, in these states one after another; the last for ever."""

    def __init__(self, *states: str, after: float = 3, application: str = APPLICATION) -> None:
        self.states, self.ended = list(states), [""]
        self.made, self.application = STARTED + timedelta(seconds=after), application
        self.terminated: list[str] = []

    def describe_environments(self, **_: Any) -> dict[str, Any]:
        states = self.ended if self.terminated else self.states
        now = states.pop(0) if len(states) > 1 else states[0]
        one = {"Status": now, "DateCreated": self.made, "ApplicationName": self.application}
        return {"Environments": [one] if now else []}

    def terminate_environment(self, EnvironmentName: str) -> None:  # noqa: N803
        self.terminated.append(EnvironmentName)


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unseen, "PAUSE", 0.001)


def reclaimed(client: Client, seconds: float = 60, cancelled: Event | None = None) -> bool:
    stop = unseen.within(seconds, cancelled or Event())
    return unseen.reclaim(client, NAME, APPLICATION, STARTED, lambda _: None, stop)


def test_it_is_terminated_once_beanstalk_allows_that() -> None:
    client = Client("Launching", "Launching", "Ready")
    client.ended = ["Terminating", "Terminated"]
    assert reclaimed(client)
    assert client.terminated == [NAME]


def test_one_that_is_gone_by_itself_is_gone() -> None:
    client = Client("Launching", "")
    assert reclaimed(client)
    assert client.terminated == []


@pytest.mark.parametrize(
    "changed", [{"after": -3}, {"application": "other-live"}], ids=["older", "another's"]
)
def test_any_other_environment_stays(changed: dict[str, Any]) -> None:
    client = Client("Ready", **changed)
    assert not reclaimed(client)
    assert client.terminated == []


def test_one_that_is_not_there_is_nobody_s() -> None:
    assert not reclaimed(Client(""))


def test_waiting_is_bounded() -> None:
    assert not reclaimed(Client("Launching"), seconds=0)


def test_ctrl_c_ends_the_wait() -> None:
    cancelled = Event()
    cancelled.set()
    with pytest.raises(Interrupted):
        reclaimed(Client("Launching"), cancelled=cancelled)


def test_it_is_known_by_what_aws_says() -> None:
    [row] = [one for one in rows() if one["refusal"] == "environment-exists"]
    said = f"creating Elastic Beanstalk Environment ({NAME}): {row['text']}"
    assert unseen.made(said) == [NAME]
    assert (
        unseen.made("creating Elastic Beanstalk Application (shop): Application shop already exists.") == []
    )
