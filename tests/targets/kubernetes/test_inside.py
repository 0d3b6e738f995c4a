from __future__ import annotations

from typing import Any

import pytest

from curtainup.errors import SetupError
from curtainup.targets import command
from tests.accounts.api_server import Status
from tests.platforms.kubernetes import shapes
from tests.targets.kubernetes.conftest import SECOND, Live

PODS = "/api/v1/namespaces/shop-live/pods"
SILENT = Status(500, "InternalError", "dial tcp 10.0.0.3:10250: connect: connection refused")


def _on(node: str, name: str) -> dict[str, Any]:
    found = shapes.pod(name)
    found["spec"]["nodeName"] = node
    return found


@pytest.fixture
def entered(live: Live, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths of the pods in which a command has begun."""
    found: list[str] = []

    def enter(_cluster: object, pod: str, *_: object) -> str:
        found.append(pod)
        return "connection"

    monkeypatch.setattr("curtainup.platforms.kubernetes.cluster.Cluster.entered", enter)
    monkeypatch.setattr("curtainup.platforms.kubernetes.inside.pump", lambda *_: 41)
    live.api.items(PODS, _on("n3", "a"), _on("n1", "b"))
    live.api.put(f"{PODS}/a/log", SILENT)
    live.api.put(f"{PODS}/b/log", b"x")
    return found


def _run(live: Live) -> int:
    return live.target.execute(SECOND, command.Asked(("sh",), attach=True))


def test_a_command_goes_to_a_pod_whose_node_answers(live: Live, entered: list[str]) -> None:
    assert _run(live) == 41
    assert entered == [f"{PODS}/b"]


def test_a_command_begins_nowhere_if_no_node_answers(live: Live, entered: list[str]) -> None:
    live.api.put(f"{PODS}/b/log", SILENT)
    with pytest.raises(SetupError, match="the pods' nodes do not answer: n1, n3") as caught:
        _run(live)
    assert caught.value.consequence == command.NOT_STARTED
    assert entered == []


def test_a_command_begins_nowhere_if_no_pod_runs(live: Live, entered: list[str]) -> None:
    live.api.items(PODS, shapes.waiting("ContainerCreating"))
    with pytest.raises(SetupError, match="no pod of the release runs"):
        _run(live)
    assert entered == []
