from __future__ import annotations

import pytest

from curtainup.config.schedules import ScheduleSettings
from tests.config.conftest import Service

HELLO = "name: hello\n"
CLEANUP = 'command: python -m app.cleanup, cron: "0 3 * * *"'


def test_what_a_schedule_does_not_say_has_a_default(service: Service) -> None:
    config = service.load(f"{HELLO}schedule: {{cleanup: {{{CLEANUP}}}}}\n")

    found = config.for_environment("live").schedule["cleanup"]
    assert found == ScheduleSettings(command=("python", "-m", "app.cleanup"), cron="0 3 * * *")
    assert (found.timezone, found.time_limit, found.overlap, found.start_within) == (
        "UTC",
        600,
        "forbid",
        300,
    )
    assert found.stop_timeout is None


def test_times_are_written_as_people_write_them(service: Service) -> None:
    text = "timezone: Europe/Stockholm, time_limit: 1h30m, overlap: allow, start_within: 45, stop_timeout: 2m"
    config = service.load(f"{HELLO}schedule: {{cleanup: {{{CLEANUP}, {text}}}}}\n")

    found = config.schedule["cleanup"]
    assert (found.timezone, found.overlap) == ("Europe/Stockholm", "allow")
    assert (found.time_limit, found.start_within, found.stop_timeout) == (5400, 45, 120)


def test_a_section_has_schedules_of_its_own(service: Service) -> None:
    text = f"schedule: {{cleanup: {{{CLEANUP}}}}}\nenvironments:\n  staging: {{schedule: {{}}}}\n"
    config = service.load(HELLO + text)
    found = {one: set(config.for_environment(one).schedule) for one in ("staging", "live", "review-1")}
    assert found == {"staging": set(), "live": {"cleanup"}, "review-1": set()}


@pytest.mark.parametrize(
    "line", ["0  3 * *  *", "*/5 8-18 1,15 JAN-jun mon-FRI", "30 2 L * *", "0 0 * * 1#2"]
)
def test_a_line_may_be_any_that_cron_reads(service: Service, line: str) -> None:
    config = service.load(f'{HELLO}schedule: {{one: {{command: work, cron: "{line}"}}}}\n')
    assert config.schedule["one"].cron == " ".join(line.split())


NO_CRON = "is not a cron line of five fields that comes due some day"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{command: work, cron: "0 3 * *"}', f"'0 3 * *' (text) {NO_CRON}"),
        ('{command: work, cron: "60 3 * * *"}', NO_CRON),
        ('{command: work, cron: "0 3 30 2 *"}', NO_CRON),
        ('{command: work, cron: "0 0 3 * * * *"}', NO_CRON),
        ('{command: work, cron: "@daily"}', 'write e.g. `cron: "0 3 * * *"`'),
        ("{command: work, cron: 5}", f"5 (number) {NO_CRON}"),
        ("{command: work}", 'schedule.one.cron: is missing — nothing would run — add `cron: "0 3 * * *"`'),
        ('{cron: "0 3 * * *"}', "schedule.one.command: is missing — nothing would run"),
        (f"{{{CLEANUP}, timezone: Europe/Stokholm}}", "did you mean `Europe/Stockholm`?"),
        (f"{{{CLEANUP}, timezone: localtime}}", "is not the name of a time zone"),
        (f"{{{CLEANUP}, timezone: ../UTC}}", "is not the name of a time zone"),
        (f"{{{CLEANUP}, time_limit: 25h}}", "is not a time from 1s to 24h"),
        (f"{{{CLEANUP}, start_within: 0}}", "is not a time from 1s to 24h"),
        (f"{{{CLEANUP}, stop_timeout: 2h}}", "is not a time from 1s to 1h"),
        (f"{{{CLEANUP}, overlap: replace}}", "is not forbid or allow"),
        (f"{{{CLEANUP}, zone: UTC}}", "schedule.one.zone: is not a known key"),
        ("work", "'work' (text) is not a mapping with `command` and `cron`"),
    ],
)
def test_what_is_wrong_with_one_is_said_where_it_is(service: Service, text: str, told: str) -> None:
    assert told in service.problem(f"{HELLO}schedule:\n  one: {text}\n")


def test_a_line_that_begins_with_a_star_needs_quotes(service: Service) -> None:
    error = service.refused(f"{HELLO}schedule:\n  one:\n    command: work\n    cron: */5 * * * *\n")
    assert error.where is not None
    assert ":5:" in error.where
    assert error.fix == 'Write a value that begins with * in quotes, such as "*/5 * * * *".'


def test_a_name_in_a_section_is_called_a_schedule(service: Service) -> None:
    told = service.problem(f"{HELLO}environments: {{live: {{schedule: {{a_b: {{{CLEANUP}}}}}}}}}\n")
    assert "environments.live.schedule.a_b: is not a valid name for a schedule" in told


def test_beanstalk_refuses_them_with_the_reason(service: Service) -> None:
    keys = "deploy_target: aws-beanstalk\naws_region: eu-west-1\n"
    told = service.problem(f"{HELLO}{keys}schedule: {{cleanup: {{{CLEANUP}}}}}\n")
    assert "schedule: is not possible on aws-beanstalk: an environment of Elastic Beanstalk would run" in told
    assert "write `schedule: {}` in the environment's section" in told
    service.load(f"{HELLO}{keys}schedule: {{}}\n")


def test_only_the_environments_that_cannot_are_blamed(service: Service) -> None:
    keys = f"schedule: {{cleanup: {{{CLEANUP}}}}}\nenvironments: {{live: {{deploy_target: aws-beanstalk}}}}\n"
    assert "schedule: is not possible on aws-beanstalk" in service.problem(f"{HELLO}{keys}")
    service.load(f"{HELLO}{keys.replace('beanstalk}', 'beanstalk, schedule: {}}')}")


def test_a_docker_host_runs_one_every_few_seconds(service: Service) -> None:
    config = service.load(f'{HELLO}schedule: {{tick: {{command: work, cron: "*/10 * * * * *"}}}}\n')
    assert config.schedule["tick"].cron == "*/10 * * * * *"


def test_no_process_beside_a_schedule_has_the_name_of_what_runs_it(service: Service) -> None:
    keys = "processes: {scheduler: work}\n"
    service.load(f"{HELLO}{keys}")
    told = service.problem(f"{HELLO}{keys}schedule: {{cleanup: {{{CLEANUP}}}}}\n")
    assert "processes.scheduler: is the name of what runs the schedules" in told


def test_what_the_scheduler_remembers_is_not_hidden_by_a_volume(service: Service) -> None:
    keys = 'volumes: ["data:/var/tmp"]\n'
    service.load(f"{HELLO}{keys}")
    told = service.problem(f"{HELLO}{keys}schedule: {{cleanup: {{{CLEANUP}}}}}\n")
    assert "volumes: mounts a volume at /var/tmp" in told


def test_the_scheduler_counts_among_the_containers(service: Service) -> None:
    keys = "processes: {a: {command: a, count: 20}, b: {command: b, count: 19}}\n"
    service.load(f"{HELLO}{keys}")
    assert "makes 41 containers" in service.problem(f"{HELLO}{keys}schedule: {{cleanup: {{{CLEANUP}}}}}\n")


def test_there_are_twenty_at_most(service: Service) -> None:
    names = ", ".join(f"p{number}: {{{CLEANUP}}}" for number in range(21))
    assert "at most 20" in service.problem(f"{HELLO}schedule: {{{names}}}\n")
