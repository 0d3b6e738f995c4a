from __future__ import annotations

import time
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from curtainup.targets.beanstalk import progress
from curtainup.targets.beanstalk.progress import States, watched

LAUNCHING = {"EnvironmentName": "shop-live-r1", "Status": "Launching", "Health": "Grey"}
READY = {"EnvironmentName": "shop-live-r2", "Status": "Ready", "Health": "Green"}


class Beanstalk:
    """A client that tells of one environment; or that is not reached."""

    def __init__(self, *, reached: bool = True) -> None:
        self.reached = reached

    def describe_environments(self, **asked: Any) -> dict[str, Any]:
        assert asked == {"ApplicationName": "shop-live", "IncludeDeleted": False}
        if not self.reached:
            raise EndpointConnectionError(endpoint_url="https://beanstalk.example")
        return {"Environments": [LAUNCHING, READY]}

    def describe_events(self, **asked: Any) -> dict[str, Any]:
        assert asked["ApplicationName"] == "shop-live"
        messages = ["Created load balancer.", "createEnvironment is starting."]
        return {"Events": [{"EnvironmentName": "shop-live-r1", "Message": one} for one in messages]}


def test_a_state_is_told_with_its_age_and_latest_event() -> None:
    now = [100.0]
    states = States(lambda: now[0])
    events = Beanstalk().describe_events(ApplicationName="shop-live")["Events"]
    assert states.lines([LAUNCHING, READY], events) == [
        "shop-live-r1 is Launching, Grey, for 0 s: Created load balancer."
    ]
    now[0] += 45
    assert states.lines([LAUNCHING], []) == ["shop-live-r1 is Launching, Grey, for 45 s"]
    updating = {**LAUNCHING, "Status": "Updating"}
    assert states.lines([updating], []) == ["shop-live-r1 is Updating, Grey, for 0 s"]


@pytest.mark.parametrize(
    ("reached", "line"),
    [
        (True, "shop-live-r1 is Launching, Grey, for 0 s: Created load balancer."),
        (False, "Beanstalk does not say how far it is: cannot reach AWS"),
    ],
)
def test_what_is_not_ready_is_told_while_the_update_runs(
    monkeypatch: pytest.MonkeyPatch, reached: bool, line: str
) -> None:
    monkeypatch.setattr(progress, "FIRST", 0.001)
    lines: list[str] = []
    with watched(lambda: Beanstalk(reached=reached), "shop-live", lines.append):
        deadline = time.monotonic() + 120
        while not lines and time.monotonic() < deadline:
            time.sleep(0.005)
    assert lines[0] == line


def test_what_ends_soon_asks_nothing() -> None:
    def never() -> Any:
        raise AssertionError("nobody has to be asked")

    with watched(never, "shop-live", print):
        pass
