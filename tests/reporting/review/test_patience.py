"""Hosts that are in trouble, limit their callers, or are not there."""

from __future__ import annotations

import socket

import pytest

from curtainup.reporting.review import api
from curtainup.reporting.review.post import PATIENCE, TRIES
from tests.reporting.review.conftest import Job
from tests.reporting.review.servers import Answer, Fault

on_github = pytest.mark.parametrize("job", ["github"], indirect=True)


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_host_in_trouble_is_asked_again(job: Job, status: int) -> None:
    job.server.faults += [Fault("GET", Answer(status, "<html>oops</html>"))] * 2

    assert job.post("hello").action == "created"
    assert job.pauses == [1.0, 2.0]


def test_a_host_that_stays_in_trouble_is_given_up(job: Job) -> None:
    job.server.faults += [Fault("GET", Answer(502, "Bad Gateway"))] * 99

    error = job.refused()

    assert f"tried {TRIES} times" in error.what
    assert "502: Bad Gateway" in (error.detail or "")
    assert len(job.server.calls) == TRIES


def test_a_comment_that_was_created_although_the_answer_was_lost_is_not_repeated(job: Job) -> None:
    job.server.faults.append(Fault("POST", Answer(502, "Bad Gateway"), done=True))

    assert job.post("hello").action == "updated"
    assert job.server.texts() == [job.marked("hello")]


def test_a_rate_limit_is_waited_for_as_long_as_it_says(job: Job) -> None:
    job.server.faults.append(Fault("POST", Answer(429, {"message": "slow"}, {"Retry-After": "7"})))

    assert job.post("hello").action == "created"
    assert job.pauses == [7.0]


def test_a_rate_limit_that_is_over_is_not_waited_for(job: Job) -> None:
    job.server.faults.append(Fault("GET", Answer(429, {"message": "slow"}, {"Retry-After": "0"})))

    job.post("hello")

    assert job.pauses == [0.0]


def test_a_rate_limit_that_does_not_say_how_long_is_waited_for_a_minute(job: Job) -> None:
    job.server.faults.append(Fault("GET", Answer(429, {"message": "slow"})))

    job.post("hello")

    assert job.pauses == [60.0]


def test_a_rate_limit_beyond_patience_is_an_error_at_once(job: Job) -> None:
    job.server.faults.append(Fault("GET", Answer(429, {"message": "slow"}, {"Retry-After": "3000"})))

    error = job.refused()

    assert "it asks to wait 3000 s" in error.what
    assert job.pauses == []


def test_patience_is_for_all_waits_together(job: Job) -> None:
    job.server.faults += [Fault("GET", Answer(429, {"message": "slow"}, {"Retry-After": "60"}))] * 9

    job.refused()

    assert sum(job.pauses) <= PATIENCE
    assert job.pauses == [60.0, 60.0]


@on_github
@pytest.mark.parametrize(
    ("answer", "pauses"),
    [
        (Answer(403, {"message": "You have exceeded a secondary rate limit."}), [60.0]),
        (Answer(403, {"message": "abuse"}, {"Retry-After": "5"}), [5.0]),
    ],
)
def test_githubs_rate_limits_come_as_forbidden(job: Job, answer: Answer, pauses: list[float]) -> None:
    job.server.faults.append(Fault("POST", answer))

    assert job.post("hello").action == "created"
    assert job.pauses == pauses


@on_github
def test_githubs_spent_limit_says_when_it_is_renewed(job: Job) -> None:
    headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "4102444800"}
    job.server.faults.append(Fault("GET", Answer(403, {"message": "API rate limit exceeded"}, headers)))

    assert "it asks to wait" in job.refused().what


@pytest.mark.parametrize("job", ["github", "gitlab"], indirect=True)
def test_nobody_listens(job: Job) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        nowhere = f"http://127.0.0.1:{taken.getsockname()[1]}"

    error = job.refused(GITHUB_API_URL=nowhere, CI_API_V4_URL=nowhere)

    assert "cannot reach" in (error.detail or "")
    assert job.pauses == [1.0, 2.0, 4.0]


@on_github
def test_nobody_answers(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "TIMEOUT", (5.0, 0.1))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        error = job.refused(GITHUB_API_URL=f"http://127.0.0.1:{silent.getsockname()[1]}")

    assert "timed out" in (error.detail or "")
    assert job.pauses == [1.0, 2.0, 4.0]


@on_github
def test_an_address_that_is_none(job: Job) -> None:
    assert "the call to GitHub failed" in job.refused(GITHUB_API_URL="api.example").what
