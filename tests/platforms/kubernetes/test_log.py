from __future__ import annotations

from datetime import UTC, datetime
from threading import Event
from typing import Any

import pytest

from curtainup.platforms.kubernetes import log
from curtainup.platforms.kubernetes.cluster import Cluster, Refused
from curtainup.platforms.kubernetes.log import Wrote
from tests.accounts.api_server import Api, Asked, Status

WROTE = Wrote("shop-live", "shop-r1-a", "app")
FIRST, SECOND, THIRD = (f"2026-11-29T04:00:0{second}.123456789Z" for second in (1, 2, 3))


def test_each_line_has_its_moment_and_the_kubelet_s_own_stamp(cluster: Cluster, api: Api) -> None:
    api.put(WROTE.path, f"{FIRST} one two\n{SECOND} \n{THIRD} last".encode())
    found = list(log.lines(cluster, WROTE))
    assert [(one.stamp, one.text) for one in found] == [(FIRST, "one two"), (SECOND, ""), (THIRD, "last")]
    assert found[0].at == datetime(2026, 11, 29, 4, 0, 1, 123456, tzinfo=UTC)
    assert api.asked[0].query == {"container": "app", "timestamps": "true"}


def test_only_what_is_wanted_is_asked_for(cluster: Cluster, api: Api) -> None:
    api.put(WROTE.path, b"")
    since = datetime(2026, 11, 29, 4, 0, 1, 999, tzinfo=UTC)
    assert list(log.lines(cluster, WROTE, since=since, tail=3, follow=True)) == []
    asked = api.asked[0].query
    assert (asked["sinceTime"], asked["tailLines"], asked["follow"]) == ("2026-11-29T04:00:01Z", "3", "true")


def test_a_pod_that_is_gone_has_no_log(cluster: Cluster) -> None:
    with pytest.raises(Refused):
        list(log.lines(cluster, WROTE))
    assert list(log.resumed(cluster, WROTE)) == []


def test_a_line_without_a_stamp_is_no_line(cluster: Cluster, api: Api) -> None:
    api.put(WROTE.path, f"unable to retrieve container logs\n{FIRST} one\n".encode())
    assert [one.text for one in log.lines(cluster, WROTE)] == ["one"]


def test_what_is_known_is_not_given_again(cluster: Cluster, api: Api) -> None:
    api.put(WROTE.path, f"{FIRST} one\n{SECOND} two\n{THIRD} three\n".encode())
    assert [one.text for one in log.resumed(cluster, WROTE, SECOND)] == ["three"]
    assert api.asked[0].query["sinceTime"] == "2026-11-29T04:00:02Z"


def test_a_connection_that_was_cut_off_is_gone_on_with(
    cluster: Cluster, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.put(WROTE.path, f"{FIRST} one\n{SECOND} two\n".encode())
    parts, cuts = log._parts, iter([True, False])

    def cut_off(answer: object) -> object:
        yield from parts(answer)
        if next(cuts):
            api.put(WROTE.path, f"{SECOND} two\n{THIRD} three\n".encode())
            raise ConnectionError("reset")

    monkeypatch.setattr(log, "_parts", cut_off)
    assert [one.text for one in log.resumed(cluster, WROTE)] == ["one", "two", "three"]


def test_a_log_in_another_time_zone_is_read(cluster: Cluster, api: Api) -> None:
    def answer(_: Asked) -> bytes:
        return b"2026-11-29T06:00:01.5+02:00 one\n"

    api.put(WROTE.path, answer)
    [one] = log.lines(cluster, WROTE)
    assert one.at == datetime(2026, 11, 29, 4, 0, 1, 500000, tzinfo=UTC)


def test_an_api_server_that_is_away_is_asked_again_after_a_pause(
    cluster: Cluster, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log, "FIRST_PAUSE", 0.01)
    answers: list[Any] = [Status(503, "ServiceUnavailable", "away")] * 3 + [f"{FIRST} one\n".encode()]
    api.put(WROTE.path, lambda _: answers.pop(0))
    assert [one.text for one in log.resumed(cluster, WROTE)] == ["one"]


def test_nobody_waits_for_an_api_server_whose_lines_nobody_reads(cluster: Cluster, api: Api) -> None:
    api.put(WROTE.path, Status(503, "ServiceUnavailable", "away"))
    ended = Event()
    ended.set()
    assert list(log.resumed(cluster, WROTE, ended=ended)) == []
    assert len(api.asked) == 1
