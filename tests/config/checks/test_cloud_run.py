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
        ("0 3 * * *", ", time_limit: 1439m"),
        ("*/10 * * * *", ", time_limit: 9m"),
        ("*/5 * * * *", ", overlap: allow"),
        ("* * * * *", ", time_limit: 1m, overlap: allow"),
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
        ("*/10 * * * *", "", "10m, with up to 1m until it starts, is more than the 10m", "`time_limit: 9m`"),
        ("*/5 * * * *", "", "10m, with up to 1m until it starts, is more than the 5m", "`time_limit: 4m`"),
        ("0,2 9 * * *", ", time_limit: 61s", "is more than the 2m between two", "`time_limit: 1m`"),
        ("* * * * *", ", time_limit: 1s", "is more than the 1m between two", "write `overlap: allow`, or"),
        (
            "0 3 * * *",
            ", time_limit: 24h, timezone: Europe/Stockholm",
            "is more than the 23h between two of its runs",
            "`time_limit: 22h59m`",
        ),
        ("*/30 0,23 * * *", ", time_limit: 31m", "is more than the 30m", "`overlap: allow`"),
    ],
)
def test_one_that_could_go_on_beside_the_next_is_refused(
    service: Service, cron: str, more: str, told: str, fix: str
) -> None:
    problem = service.problem(_one(cron, more))
    assert "schedule.one.time_limit: " in problem
    assert told in problem
    assert fix in problem


@pytest.mark.parametrize(("cron", "most"), [("*/10 * * * *", "9m"), ("*/2 * * * *", "1m")])
def test_the_value_that_it_names_passes(service: Service, cron: str, most: str) -> None:
    assert f"write at most `time_limit: {most}`" in service.problem(_one(cron))
    assert service.load(_one(cron, f", time_limit: {most}")).for_environment("live").schedule


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
