"""The logs of Cloud Run, asked of a server that answers as Cloud Logging's reference says."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from curtainup.errors import SetupError
from curtainup.model.environment import Environment
from curtainup.model.targets.cloud_run import CloudRunEnvironment
from curtainup.platforms.google import api
from curtainup.rehearsal.gcp.logging_filter import parse
from curtainup.targets.cloud_run import logs as cloud_run
from curtainup.targets.cloud_run.logs import CloudRunLogs
from curtainup.targets.log_lines import Asked
from tests.accounts.google_account import DENIED, DISABLED, refusal
from tests.accounts.servers import Answer, Request, serving
from tests.sessions import world

PLACE = CloudRunEnvironment(
    service="shop",
    name="live",
    project="my-project",
    region="europe-west1",
    min_instances=0,
    max_instances=3,
    ready_timeout=60,
)
BUSY = refusal(429, "RESOURCE_EXHAUSTED", "Quota exceeded for quota metric 'Read requests'")


def told(number: int, **changed: Any) -> dict[str, Any]:
    """A LogEntry as the API gives it."""
    labels = {"service_name": "shop-live", "revision_name": "shop-live-r0000001", "location": "europe-west1"}
    entry = {
        "insertId": f"id{number}",
        "timestamp": f"2026-11-21T15:31:{number:02}.123456789Z",
        "resource": {"type": "cloud_run_revision", "labels": labels},
        "logName": "projects/my-project/logs/run.googleapis.com%2Fstdout",
        "textPayload": f"line {number}",
    }
    return {**{key: one for key, one in entry.items() if not (key == "textPayload" and changed)}, **changed}


@dataclass
class Account:
    """What stands for the deployer's account, and the server that it asks."""

    answers: list[Answer]
    logging_api: str = ""
    asked: list[Request] = field(default_factory=list)

    def access_token(self) -> str:
        return "token"

    def answer(self, request: Request) -> Answer:
        self.asked.append(request)
        return self.answers[min(len(self.asked), len(self.answers)) - 1]

    def bodies(self) -> list[dict[str, Any]]:
        return [json.loads(one.body) for one in self.asked]


@pytest.fixture
def account() -> Iterator[Account]:
    found = Account([])
    with serving(found.answer) as url:
        found.logging_api = url
        yield found


@pytest.fixture
def logs(account: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CloudRunLogs:
    monkeypatch.setattr(api, "PATIENCE", (0.0, 0.0))
    session = world(tmp_path).session
    session.accounts.__dict__["google"] = account
    return CloudRunLogs(session, Environment("shop-live", PLACE))


def _shown(logs: CloudRunLogs, asked: Asked | None = None) -> list[str]:
    return [one.text for one in logs.lines(asked or Asked())]


def test_all_pages_are_read_though_one_is_empty(account: Account, logs: CloudRunLogs) -> None:
    account.answers = [
        Answer.of({"nextPageToken": "one"}),
        Answer.of({"entries": [told(1), told(2)], "nextPageToken": "two"}),
        Answer.of({"entries": [told(3)]}),
    ]
    assert _shown(logs) == ["line 1", "line 2", "line 3"]
    assert [one.get("pageToken") for one in account.bodies()] == [None, "one", "two"]
    first = account.asked[0]
    assert (first.method, first.path, first.headers["authorization"]) == (
        "POST",
        "/v2/entries:list",
        "Bearer token",
    )
    assert {key: one for key, one in account.bodies()[0].items() if key != "filter"} == {
        "resourceNames": ["projects/my-project"],
        "orderBy": "timestamp asc",
        "pageSize": 1000,
    }


def test_the_last_lines_are_asked_for_newest_first_and_no_more_pages_than_needed(
    account: Account, logs: CloudRunLogs
) -> None:
    account.answers = [Answer.of({"entries": [told(3), told(2)], "nextPageToken": "one"})]
    assert _shown(logs, Asked(tail=2)) == ["line 2", "line 3"]
    [body] = account.bodies()
    assert (body["orderBy"], body["pageSize"]) == ("timestamp desc", 2)


def test_a_line_says_when_and_of_which_release(account: Account, logs: CloudRunLogs) -> None:
    account.answers = [Answer.of({"entries": [told(1)]})]
    [line] = logs.lines(Asked())
    assert (line.at, line.release) == (datetime(2026, 11, 21, 15, 31, 1, 123456, UTC), "r0000001")


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        ({"textPayload": "plain\n"}, "plain"),
        ({"jsonPayload": {"message": "structured", "level": 3}}, "structured"),
        ({"jsonPayload": {"level": 3}}, '{"level": 3}'),
        (
            {"protoPayload": {"status": {"message": "Ready condition status changed"}}},
            "Ready condition status changed",
        ),
        ({"timestamp": "2026-11-21T15:31:01Z"}, "{}"),
    ],
)
def test_what_an_entry_says(changed: dict[str, Any], text: str) -> None:
    assert cloud_run.entry(told(1, **changed)).line.text == text


def test_the_filter_is_understood_by_the_stand_in_and_lets_the_right_lines_pass() -> None:
    since = datetime(2026, 11, 21, 15, 31, 5, tzinfo=UTC)
    passes = parse(cloud_run.query(PLACE, "shop-live", Asked(("r0000001", "r0000002"), since)))
    assert passes(told(5))
    assert not passes(told(4))
    assert not passes(told(6, logName="projects/my-project/logs/run.googleapis.com%2Frequests"))
    other = {**told(6)["resource"]["labels"], "revision_name": "shop-live-r0000003"}
    assert not passes(told(6, resource={"type": "cloud_run_revision", "labels": other}))
    assert not passes(told(6, resource={"type": "cloud_run_job", "labels": told(6)["resource"]["labels"]}))


@pytest.mark.parametrize(
    ("refused", "what", "fix"),
    [
        (DENIED, "the deployer may not read logs", "logging.logEntries.list"),
        (DISABLED, "the Cloud Logging API is not enabled", "gcloud services enable logging.googleapis.com"),
        (refusal(500, "INTERNAL", "Internal error"), "HTTP 500", "try again"),
        (BUSY, "HTTP 429", "try again"),
    ],
)
def test_a_refusal_is_told_with_its_fix(
    account: Account, logs: CloudRunLogs, refused: Answer, what: str, fix: str
) -> None:
    account.answers = [refused]
    with pytest.raises(SetupError, match=what) as caught:
        _shown(logs)
    assert caught.value.where == "project my-project"
    assert fix in str(caught.value.fix)
    assert caught.value.detail == json.loads(refused.body)["error"]["message"]


def test_whoever_asked_too_much_asks_again(account: Account, logs: CloudRunLogs) -> None:
    account.answers = [BUSY, BUSY, Answer.of({"entries": [told(1)]})]
    assert _shown(logs) == ["line 1"]


def test_new_lines_are_asked_for_again_and_again(
    account: Account, logs: CloudRunLogs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cloud_run, "PAUSE", 0.0)
    pages: Sequence[Answer] = [
        Answer.of({"entries": [told(1)]}),
        Answer.of({"entries": [told(1), told(2)]}),
        Answer.of({"entries": [told(2), told(3)]}),
    ]
    account.answers = list(pages)
    lines = logs.follow(Asked())
    assert [next(lines).text for _ in range(3)] == ["line 1", "line 2", "line 3"]
    assert 'timestamp>="2026-11-21T15:30:41.123456Z"' in account.bodies()[1]["filter"]
