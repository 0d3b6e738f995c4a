"""What a proxy is told once, when its container is made."""

from __future__ import annotations

from collections import Counter
from contextlib import closing
from email.message import Message
from threading import Event

import pytest

from curtainup.engine.provider import traffic
from curtainup.platforms.haproxy import config
from tests.engine.provider.world import World

pytestmark = pytest.mark.docker
VISITORS = 60


def get(world: World, path: str = "/", **headers: str) -> tuple[int, str, Message]:
    with closing(world.connect()) as user:
        user.request("GET", path, headers=headers)
        answer = user.getresponse()
        return answer.status, answer.read().decode(), answer.headers


def cookie(headers: Message) -> str:
    return headers["Set-Cookie"].partition(";")[0]


def test_headers_that_are_too_large_are_refused_in_the_name_of_no_release(world: World) -> None:
    traffic.create(world.inputs({"r1": 100}), Event())
    status, _, headers = get(world, **{"X-Big": "x" * 20_000})
    assert (status, headers["Curtainup-Release"]) == (400, None)


def test_an_answer_that_breaks_off_is_refused_by_name(world: World) -> None:
    traffic.create(world.inputs({"r1": 100}), Event())
    status, text, headers = get(world, "/dies")
    assert (status, headers["Curtainup-Refused"]) == (502, "answer")
    assert "header_limit" in text


class TestVariables:
    @pytest.fixture
    def variables(self) -> dict[str, str]:
        return config.variables(header_kb=32, sticky=True)

    def test_larger_headers_pass_and_visitors_stay(self, world: World) -> None:
        state = traffic.create(world.inputs({"r1": 50, "r2": 50}), Event())
        assert get(world, **{"X-Big": "x" * 20_000})[0] == 200
        assert get(world, **{"X-Big": "x" * 40_000})[0] == 400

        first = [get(world) for _ in range(VISITORS)]
        visitors = {cookie(headers): text for _, text, headers in first}
        assert len(visitors) == VISITORS
        assert set(Counter(visitors.values())) == {"r1", "r2"}
        for own, text in visitors.items():
            status, again, headers = get(world, Cookie=own)
            assert (status, again) == (200, text)
            assert "Set-Cookie" not in headers

        state = traffic.update(state, world.inputs({"r1": 0, "r2": 100}), Event())
        assert {get(world, Cookie=own)[1] for own in visitors} == {"r2"}


def test_nothing_is_said_of_what_is_as_ever() -> None:
    assert config.variables(header_kb=config.DEFAULT_HEADER_KB, sticky=False) == {}
