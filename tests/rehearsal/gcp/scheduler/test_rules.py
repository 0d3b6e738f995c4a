"""What the stand-in of Cloud Scheduler takes and refuses."""

from __future__ import annotations

from typing import Any

import pytest

from curtainup.rehearsal.gcp.scheduler import rules

JOB: dict[str, Any] = {
    "name": "shop-live-cleanup-schedule",
    "schedule": "0 3 * * *",
    "timeZone": "Europe/Stockholm",
    "httpTarget": {"uri": "https://run.googleapis.com/v2/x:run", "httpMethod": "POST"},
}


@pytest.mark.parametrize(
    "line",
    [
        "* * * * *",
        "*/5 0-23 1,15 * *",
        "45 23 * * 6",
        "0 9 * JAN-dec MON-FRI",
        "0 0 * * 7",
        "0 0 1 */2 SUN",
        "10-50/10 * * * *",
    ],
)
def test_unix_cron_is_taken(line: str) -> None:
    assert rules.refusal({**JOB, "schedule": line}) is None


@pytest.mark.parametrize(
    "line",
    [
        "",
        "* * * *",
        "0 0 3 * * *",
        "60 * * * *",
        "0 24 * * *",
        "0 0 0 * *",
        "0 0 * 13 *",
        "0 0 * * 8",
        "0 0 L * *",
        "0 0 * * 1#2",
        "0 0 ? * *",
        "50-10 * * * *",
        "*/0 * * * *",
        "0 0 * FOO *",
        "@daily",
        "every 5 minutes",
    ],
)
def test_any_other_line_is_not(line: str) -> None:
    assert rules.refusal({**JOB, "schedule": line}) == "Schedule or time zone is invalid."


@pytest.mark.parametrize(
    ("zone", "taken"),
    [("Etc/UTC", True), ("utc", True), (None, True), ("Europe/Stokholm", False), ("localtime", False)],
)
def test_a_zone_must_be_one(zone: str | None, taken: bool) -> None:
    assert (rules.refusal({**JOB, "timeZone": zone}) is None) is taken


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"name": "a b"}, "Job name must be formatted."),
        ({"attemptDeadline": "14s"}, "from 15s to 1800s"),
        ({"attemptDeadline": "1801s"}, "from 15s to 1800s"),
        ({"attemptDeadline": "3m"}, "from 15s to 1800s"),
        ({"retryConfig": {"retryCount": 6}}, "from 0 to 5"),
        ({"httpTarget": {"uri": "run.googleapis.com/x"}}, "valid HTTP or HTTPS URL"),
    ],
)
def test_what_else_is_refused(changed: dict[str, Any], said: str) -> None:
    assert said in str(rules.refusal({**JOB, **changed}))


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ({**JOB, "httpTarget": None}, "one of `pubsubTarget,httpTarget,appEngineHttpTarget`"),
        ({**JOB, "pubsubTarget": {}}, "only one of `pubsubTarget"),
        ({"name": "a", "pubsubTarget": {}}, "a rehearsal has no pubsubTarget"),
        (
            {**JOB, "httpTarget": {"uri": "https://x", "oauthToken": {"a": 1}, "oidcToken": {"a": 1}}},
            "only one of oauth_token or oidc_token",
        ),
    ],
)
def test_what_the_provider_refuses(inputs: dict[str, Any], said: str) -> None:
    [found] = rules.complaints(inputs)
    assert said in found.reason
    assert rules.complaints(JOB) == []
