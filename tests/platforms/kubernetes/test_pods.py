from __future__ import annotations

from curtainup.platforms.kubernetes import pods
from tests.platforms.kubernetes import shapes
from tests.platforms.kubernetes.shapes import CONTAINER


def test_those_that_are_ready_answer_first_and_those_that_leave_not_at_all() -> None:
    started = shapes.unready({"running": {}})
    leaving = shapes.pod("leaving")
    leaving["metadata"]["deletionTimestamp"] = "2026-11-29T04:00:00Z"
    waiting, failed = shapes.waiting("ContainerCreating"), shapes.pod("failed", phase="Failed")
    found = [started, leaving, waiting, failed, shapes.pod("ready")]
    assert pods.answering(found, CONTAINER) == ["ready", "shop-r1-a"]


def test_a_container_s_last_end_is_its_present_one_or_the_one_before() -> None:
    assert pods.last_end(shapes.pod(), CONTAINER) is None
    again = shapes.unready({"running": {}}, restarts=1, last=shapes.ended(3))
    assert (pods.last_end(again, CONTAINER) or {})["exitCode"] == 3
    now = shapes.unready(shapes.ended(4), restarts=1, last=shapes.ended(3))
    assert (pods.last_end(now, CONTAINER) or {})["exitCode"] == 4


def test_a_pod_without_statuses_says_nothing_yet() -> None:
    bare = {"metadata": {"name": "bare"}}
    assert not pods.is_ready(bare)
    assert not pods.is_running(bare, CONTAINER)
    assert pods.waiting(bare, CONTAINER) == {}
    assert pods.limit(bare, CONTAINER, "memory") == ""


def test_events_are_told_in_the_order_in_which_they_happened_last() -> None:
    first, second = shapes.event("A", ""), shapes.event("B", "", at="2026-11-29T04:00:05Z")
    series = {**shapes.event("C", ""), "series": {"lastObservedTime": "2026-11-29T04:00:09.000000Z"}}
    bare = {"metadata": {"creationTimestamp": "2026-11-29T03:00:00Z"}, "reason": "D"}
    assert [one["reason"] for one in pods.newest([series, second, first, bare])] == ["D", "A", "B", "C"]
