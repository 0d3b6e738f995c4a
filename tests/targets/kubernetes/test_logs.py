from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from curtainup.errors import RefusedError, SetupError
from curtainup.model.environment import Environment
from curtainup.platforms.kubernetes import log
from curtainup.targets.kubernetes import logs
from curtainup.targets.kubernetes.logs import KubernetesLogs
from curtainup.targets.log_lines import Asked, Line
from tests import samples
from tests.accounts import api_server
from tests.platforms.kubernetes import shapes
from tests.targets.kubernetes.conftest import FIRST, KEYS, SECOND, Live, service, settings

PODS = "/api/v1/namespaces/shop-live/pods"


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "LOOK_FOR_PODS", 0.02)


def _pod(name: str, release: str, **status: Any) -> dict[str, Any]:
    found = shapes.pod(name, **status)
    return {**found, "metadata": {"name": name, "labels": {"curtainup.release": release}}}


def _write(live: Live, pod: str, *lines: tuple[int, str]) -> None:
    text = "".join(f"2026-11-29T04:00:{second:02}.000000000Z {said}\n" for second, said in lines)
    live.api.put(f"{PODS}/{pod}/log", text.encode())


@pytest.fixture
def source(live: Live) -> KubernetesLogs:
    starting = _pod("starting", SECOND.id, containerStatuses=[shapes.container({"waiting": {}})])
    live.api.items(PODS, _pod("a", FIRST.id), _pod("b", FIRST.id), _pod("c", SECOND.id), starting)
    _write(live, "a", (1, "one"), (4, "four"))
    _write(live, "b", (2, "two"), (5, "five"))
    _write(live, "c", (3, "three"))
    return KubernetesLogs(live.world.session, live.environment)


def _said(lines: Iterator[Line]) -> list[str]:
    return [one.text for one in lines]


def test_the_lines_of_all_pods_come_in_the_order_in_which_they_were_written(source: KubernetesLogs) -> None:
    found = list(source.lines(Asked()))
    assert [one.text for one in found] == ["one", "two", "three", "four", "five"]
    assert [one.release for one in found] == [FIRST.id, FIRST.id, SECOND.id, FIRST.id, FIRST.id]


def test_only_what_is_wanted_comes(source: KubernetesLogs, live: Live) -> None:
    assert _said(source.lines(Asked(releases=(SECOND.id,)))) == ["three"]
    assert _said(source.lines(Asked(tail=2))) == ["four", "five"]
    assert _said(source.lines(Asked(tail=0))) == []
    since = datetime(2026, 11, 29, 4, 0, 3, tzinfo=UTC)
    assert _said(source.lines(Asked(since=since))) == ["three", "four", "five"]
    assert live.api.of("GET")[-1].query["sinceTime"] == "2026-11-29T04:00:03Z"


def test_a_release_whose_pods_are_gone_is_said_to_have_no_log(source: KubernetesLogs) -> None:
    with pytest.raises(SetupError, match="the pods of r9 are gone"):
        list(source.lines(Asked(releases=("r9",))))


def test_a_pod_that_goes_meanwhile_is_left_out(source: KubernetesLogs, live: Live) -> None:
    del live.api.objects[f"{PODS}/a/log"]
    assert _said(source.lines(Asked())) == ["two", "three", "five"]


def test_pods_whose_node_does_not_answer_are_told_and_not_waited_for(
    source: KubernetesLogs, live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One hangs, as its node may be lost; for the other, the API server says that it is not reached."""
    monkeypatch.setattr(log, "HURRY", 0.2)
    over = Event()

    def hang(_: api_server.Asked) -> bytes:
        over.wait(30)
        return b""

    live.api.put(f"{PODS}/a/log", hang)
    live.api.put(f"{PODS}/b/log", api_server.Status(500, "InternalError", "dial tcp: connection refused"))
    assert _said(source.lines(Asked())) == ["three"]
    over.set()
    assert live.world.report.warnings == [
        "the nodes of these pods do not answer, so their lines are missing: a, b"
    ]


def test_what_is_followed_comes_once_and_a_pod_that_starts_meanwhile_too(
    source: KubernetesLogs, live: Live
) -> None:
    lines = source.follow(Asked())
    assert _said(islice(lines, 5)) == ["one", "two", "three", "four", "five"]
    _write(live, "new", (6, "six"))
    live.api.items(PODS, _pod("a", FIRST.id), _pod("new", SECOND.id))
    assert next(lines).text == "six"
    lines.close()


def test_a_container_that_starts_again_is_followed_again(source: KubernetesLogs, live: Live) -> None:
    lines = source.follow(Asked(releases=(SECOND.id,)))
    assert next(lines).text == "three"
    again = shapes.container({"running": {}}, restarts=1, last=shapes.ended(1))
    live.api.items(PODS, _pod("c", SECOND.id, containerStatuses=[again]))
    _write(live, "c", (7, "seven"))
    assert next(lines).text == "seven"
    lines.close()


def test_an_api_server_that_is_gone_ends_it(source: KubernetesLogs, live: Live) -> None:
    lines = source.follow(Asked())
    assert next(lines).text == "one"
    live.api.put(PODS, b"<html>")
    with pytest.raises(SetupError, match="API server does not answer"):
        list(lines)


def test_the_log_of_another_target_is_not_read(live: Live) -> None:
    with pytest.raises(TypeError):
        KubernetesLogs(live.world.session, Environment("shop-live", samples.environment()))


def test_the_logs_are_those_of_the_environment_s_cluster_whatever_is_configured_now(
    live: Live, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    live.api.items(PODS, _pod("a", FIRST.id))
    _write(live, "a", (1, "one"))
    session = service(elsewhere, live.api, f"{KEYS}kube_context: other\n").session
    assert _said(KubernetesLogs(session, live.environment).lines(Asked())) == ["one"]
    moved = replace(live.environment, settings=settings(cluster="another"))
    with pytest.raises(RefusedError, match="leads to another cluster than the one live is on"):
        KubernetesLogs(session, moved)
