from __future__ import annotations

import pytest

from curtainup.config.processes import ProcessSettings
from tests.config.conftest import Service

HELLO = "name: hello\n"


def test_a_text_or_a_list_is_the_command_line(service: Service) -> None:
    config = service.load(
        HELLO + "processes:\n"
        "  worker: celery -A app worker --queues 'a b'\n"
        "  clock: [python, clock.py]\n"
        "  relay: {command: python relay.py, count: 2, memory_limit: 256m, settle: 1m, overlap: true}\n"
    )

    found = config.for_environment("live").processes
    assert found["worker"] == ProcessSettings(command=("celery", "-A", "app", "worker", "--queues", "a b"))
    assert found["clock"] == ProcessSettings(command=("python", "clock.py"))
    relay = found["relay"]
    assert (relay.command, relay.count, relay.memory_limit) == (("python", "relay.py"), 2, 256)
    assert (relay.settle, relay.overlap) == (60, True)


def test_no_shell_reads_the_command_line(service: Service) -> None:
    config = service.load(HELLO + "processes: {worker: 'echo $HOME && rm *'}\n")
    assert config.processes["worker"].command == ("echo", "$HOME", "&&", "rm", "*")


def test_a_section_has_processes_of_its_own(service: Service) -> None:
    text = "processes: {worker: work}\n"
    text += "environments: {staging: {processes: {}}, live: {processes: {relay: relay}}}\n"
    config = service.load(HELLO + text)
    found = {one: set(config.for_environment(one).processes) for one in ("staging", "live", "review-1")}
    assert found == {"staging": set(), "live": {"relay"}, "review-1": set()}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{worker: {command: work, count: 0}}", "0 (number) is not a whole number from 1 to 50"),
        ("{worker: {command: work, count: 51}}", "51 (number) is not a whole number from 1 to 50"),
        ("{worker: {count: 2}}", "processes.worker.command: is missing — nothing would run"),
        ("{worker: ''}", "is not a command line with closed quotes"),
        ('{worker: "say \'hello"}', "is not a command line with closed quotes"),
        ("{worker: 3}", "3 (number) is not a command line, or a mapping with `command` and further keys"),
        ("{Worker: work}", "processes.Worker: is not a valid name for a process"),
        ("{worker: {command: work, replicas: 2}}", "processes.worker.replicas: is not a known key"),
        ("{worker: {command: work, memory_limit: 256}}", "write the unit too, e.g. `memory_limit: 256m`"),
        ("{worker: {command: work, settle: -1}}", "is not a time up to 1h"),
        ("{worker: {command: work, stop_timeout: 0}}", "is not a whole number of seconds from 1 to 3600"),
        ("[work]", "is not a mapping of at most 20 names to commands"),
    ],
)
def test_what_is_wrong_with_one_is_said_where_it_is(service: Service, text: str, told: str) -> None:
    assert told in service.problem(f"{HELLO}processes: {text}\n")


def test_a_name_in_a_section_is_called_a_process_too(service: Service) -> None:
    told = service.problem(HELLO + "environments: {live: {processes: {a_b: work}}}\n")
    assert "environments.live.processes.a_b: is not a valid name for a process" in told


def test_two_of_one_name_are_refused(service: Service) -> None:
    told = service.problem(HELLO + "processes:\n  worker: one\n  worker: two\n")
    assert "processes.worker: appears twice, on lines 3 and 4" in told


def test_there_are_twenty_at_most(service: Service) -> None:
    names = ", ".join(f"p{number}: work" for number in range(21))
    assert "at most 20" in service.problem(f"{HELLO}processes: {{{names}}}\n")


@pytest.mark.parametrize(
    ("keys", "reason"),
    [
        ("deploy_target: gcp-cloud-run\ndocker_repo: p\ngcp_region: europe-west1\n", "makes no worker pools"),
        ("deploy_target: aws-beanstalk\naws_region: eu-west-1\n", "would take real jobs before"),
    ],
)
def test_a_target_that_cannot_run_them_refuses_them_with_the_reason(
    service: Service, keys: str, reason: str
) -> None:
    told = service.problem(f"{HELLO}{keys}processes: {{worker: work}}\n")
    assert "is not possible on" in told
    assert reason in told
    service.load(f"{HELLO}{keys}processes: {{}}\n")


def test_a_docker_host_has_room_for_so_many(service: Service) -> None:
    service.load(
        HELLO + "processes: {a: {command: a, count: 20}, b: {command: b, count: 10, overlap: true}}\n"
    )
    told = service.problem(HELLO + "processes: {a: {command: a, count: 21, overlap: true}}\n")
    assert "makes 42 containers at a time" in told
    service.load(HELLO + "deploy_target: kubernetes\nprocesses: {a: {command: a, count: 50}}\n")


def test_only_the_environments_that_cannot_are_blamed(service: Service) -> None:
    keys = "processes: {worker: work}\nenvironments: {live: {deploy_target: aws-beanstalk}}\n"
    assert "processes: is not possible on aws-beanstalk" in service.problem(f"{HELLO}{keys}")
    service.load(f"{HELLO}{keys.replace('beanstalk}', 'beanstalk, processes: {}}')}")
