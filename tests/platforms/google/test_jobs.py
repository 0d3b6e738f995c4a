from __future__ import annotations

import time
from threading import Event

import pytest

from curtainup.platforms.google.api import Endpoints, Refused
from curtainup.platforms.google.jobs import Jobs
from tests.accounts.google_account import refusal
from tests.accounts.servers import Answer, serving

BUSY = refusal(429, "RATE_LIMIT_EXCEEDED", "Quota exceeded for quota metric 'Read requests'")
EXECUTION = "projects/p/locations/l/jobs/j/executions/e"


def test_a_run_that_is_cancelled_waits_for_no_further_try() -> None:
    cancelled = Event()
    cancelled.set()
    with serving(lambda _: BUSY) as url, pytest.raises(Refused, match="Quota exceeded"):
        Jobs(str, Endpoints(run=url), cancelled.wait).execution(EXECUTION)


def test_its_execution_is_cancelled_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    cancelled, answers, waited = Event(), [BUSY, BUSY, Answer.of({})], list[float]()
    cancelled.set()
    monkeypatch.setattr(time, "sleep", waited.append)
    with serving(lambda _: answers.pop(0)) as url:
        Jobs(str, Endpoints(run=url), cancelled.wait).cancel(EXECUTION)
    assert answers == []
    assert waited[:2] == [1.0, 2.0]


def test_a_token_is_asked_for_once_in_half_an_hour() -> None:
    tokens = list[str]()

    def token() -> str:
        tokens.append("one")
        return "one"

    with serving(lambda _: Answer.of({})) as url:
        jobs = Jobs(token, Endpoints(run=url))
        jobs.cancel(EXECUTION)
        jobs.cancel(EXECUTION)
    assert tokens == ["one"]
