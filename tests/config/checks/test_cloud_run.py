"""What Cloud Run cannot do of schedules."""

from __future__ import annotations

import pytest

from tests.config.conftest import Service

KEYS = "name: hello\ndeploy_target: gcp-cloud-run\ndocker_repo: my-project\ngcp_region: europe-west1\n"


def _one(cron: str, more: str = "") -> str:
    return f'{KEYS}schedule:\n  one: {{command: work, cron: "{cron}"{more}}}\n'


@pytest.mark.parametrize(
    ("cron", "more"),
    [
        ("0 3 * * *", ""),
        ("0 3 * * *", ", time_limit: 24h"),
        ("*/10 * * * *", ""),
        ("*/5 * * * *", ", overlap: allow"),
        ("* * * * *", ", time_limit: 1m"),
        ("0 3 1 1 *", ", time_limit: 24h, timezone: Europe/Stockholm"),
        ("0 0 1,15 * MON", ""),
        ("0 0 */2 * *", ""),
    ],
)
def test_a_run_that_has_ended_before_the_next_is_due_is_fine(service: Service, cron: str, more: str) -> None:
    assert service.load(_one(cron, more)).for_environment("live").schedule


@pytest.mark.parametrize(
    ("cron", "more", "told", "fix"),
    [
        ("*/5 * * * *", "", "10m is more than the 5m between two of its runs", "`time_limit: 5m`"),
        ("0,2 9 * * *", ", time_limit: 3m", "3m is more than the 2m", "`time_limit: 2m`"),
        (
            "0 3 * * *",
            ", time_limit: 24h, timezone: Europe/Stockholm",
            "1d is more than the 23h between two of its runs",
            "`time_limit: 23h`",
        ),
        ("*/30 0,23 * * *", ", time_limit: 31m", "31m is more than the 30m", "`overlap: allow`"),
    ],
)
def test_one_that_could_go_on_beside_the_next_is_refused(
    service: Service, cron: str, more: str, told: str, fix: str
) -> None:
    problem = service.problem(_one(cron, more))
    assert f"schedule.one.time_limit: {told}" in problem
    assert fix in problem


@pytest.mark.parametrize(
    ("cron", "told"),
    [
        ("*/10 * * * * *", "the finest there is on gcp-cloud-run is one minute"),
        ("0 0 L * *", "has `L` or `#`, which gcp-cloud-run does not read"),
        ("0 0 * * 1#2", "has `L` or `#`, which gcp-cloud-run does not read"),
        ("0 0 */2 * MON", "nobody knows whether Cloud Scheduler then wants both day fields to match"),
        ("0 0 1 * */2", "nobody knows whether Cloud Scheduler then wants both day fields to match"),
    ],
)
def test_a_line_that_cloud_scheduler_reads_otherwise_is_refused(
    service: Service, cron: str, told: str
) -> None:
    assert told in service.problem(_one(cron))
