"""Processes of a release start once it has all traffic, and end when another release has it."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any

import docker
import pytest

from curtainup.errors import CandidateGateFailed, ConfigError, ProcessFailed, RefusedError, TrafficReturned
from curtainup.setup.base_images.catalogue import REFERENCES
from tests.e2e.leftovers import assert_nothing_left
from tests.e2e.load import users
from tests.e2e.service import Service
from tests.e2e.underway import underway

MATRIX = pytest.mark.matrix(
    reason="test_processes_follow_all_traffic and a worker that ends at once show how processes start and end"
)
WORKER = """\
import os, signal, sys, time

def end(*_):
    print("asked to end", flush=True)
    sys.exit(0)

signal.signal(signal.SIGTERM, end)
print("at work as", os.environ["VERSION"], flush=True)
assert os.environ["HELLO_SECRET"]
while True:
    time.sleep(0.1)
"""
DEAF = WORKER.replace("signal.signal(signal.SIGTERM, end)", "signal.signal(signal.SIGTERM, signal.SIG_IGN)")
ENDS_ON_LIVE = WORKER.replace(
    "while True:", 'if os.environ["PYM_ENV"].endswith("-live"):\n    raise KeyError("QUEUE")\nwhile True:'
)
LOOKS_BETTER = 'grep -q ready /tmp/state || { echo "not yet" && echo ready > /tmp/state && exit 1; }'


@pytest.fixture(scope="module")
def working(service: Service) -> Service:
    """A service with two workers and a scheduler on staging and live."""
    service.write("worker.py", WORKER)
    service.configure(
        processes={
            "worker": {"command": "python3 worker.py", "count": 2, "memory_limit": "64m"},
            "clock": ["python3", "worker.py", "two words"],
        }
    )
    service.deploy()
    return service


def processes(service: Service, environment: str = "live") -> dict[str, dict[str, Any]]:
    """What `status` says of each copy of each process."""
    found = service.status(environment)["processes"]
    return {f"{one['process']}.{one['number']}": one for one in found}


def releases(service: Service, environment: str = "live") -> set[str]:
    """The releases whose processes run, as Docker says."""
    wanted = [f"curtainup.service={service.name}", f"curtainup.environment={environment}"]
    found = service.host.client.containers.list(filters={"label": [*wanted, "curtainup.process"]})
    return {one.labels["curtainup.release"] for one in found}


def process_ids(service: Service) -> list[str]:
    wanted = [f"curtainup.service={service.name}", "curtainup.environment=live", "curtainup.process"]
    return sorted(str(one.id) for one in service.host.client.containers.list(filters={"label": wanted}))


def serving(service: Service) -> set[str]:
    return {one for one, share in service.traffic("live").items() if share == 100}


def events(service: Service, since: int) -> list[tuple[str, str, str, Mapping[str, str]]]:
    """What happened to processes on live: action, name, release and all attributes, in order."""
    wanted = {"label": [f"curtainup.service={service.name}", "curtainup.environment=live"]}
    found = service.host.client.api.events(
        since=since, until=int(time.time()) + 1, filters={**wanted, "type": "container"}, decode=True
    )
    named = [(one["Action"], one["Actor"]["Attributes"]) for one in found]
    return [
        (action, of["name"], of["curtainup.release"], of) for action, of in named if "curtainup.process" in of
    ]


def test_processes_follow_all_traffic(working: Service) -> None:
    first = serving(working)
    assert set(processes(working)) == {"clock.1", "worker.1", "worker.2"}
    assert {one["state"] for one in processes(working).values()} == {"running"}
    assert releases(working) == first
    assert releases(working, "staging") == set(working.traffic("staging"))
    worker = working.host.inspect(f"{working.name}-live.worker.2")
    assert worker["HostConfig"]["Memory"] == 64 * 1024**2
    assert worker["HostConfig"]["PidsLimit"] == 512
    assert not worker["HostConfig"]["PortBindings"]

    working.greet("second")
    before = int(time.time())
    with users(working.url("live")) as answers:
        working.deploy()

    assert answers.failures == []
    second = serving(working)
    assert releases(working) == second != first
    happened = events(working, before)
    ends = {of["exitCode"] for action, _, _, of in happened if action == "die"}
    assert ends == {"0"}, "each worker was asked to end, and did so by itself"
    for name in ("worker.1", "worker.2", "clock.1"):
        order = [(action, {release}) for action, one, release, _ in happened if one.endswith(f".{name}")]
        assert order.index(("die", first)) < order.index(("start", second))
    moved = next(one.at for one in working.last_run().traffic if one.environment == "live")
    assert moved
    steps = [one.name for one in working.last_run().steps]
    assert steps.index("live-processes") > steps.index("live-gate")
    assert steps.index("staging-processes") < steps.index("candidate")
    assert_nothing_left(working)


@MATRIX
def test_a_second_run_changes_nothing(working: Service) -> None:
    before = working.updates()
    working.deploy()
    assert working.updates() == before
    assert working.run("preview", code=0).out.count("no changes") == 3


@MATRIX
def test_their_logs_are_shown_by_their_names(working: Service) -> None:
    [live] = serving(working)
    lines = working.run("logs", "--process", "worker").out.splitlines()
    told = {line.split(" ", 1)[1] for line in lines}
    version = next(one["version"] for one in working.status("live")["releases"] if one["id"] == live)
    assert told == {f"{live} worker.{number} at work as {version}" for number in (1, 2)}
    data = [json.loads(one) for one in working.run("logs", "--process", "clock", "--json").out.splitlines()]
    assert {one["process"] for one in data} == {"clock.1"}
    assert "at work" not in working.run("logs").out
    refused = working.run("logs", "--process", "nobody", code=RefusedError.exit_code)
    assert "processes: clock, worker" in refused.err


BOUND = (
    'cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null; echo "$VERSION"'
)


@MATRIX
def test_a_command_runs_as_a_worker_does_or_in_its_container(working: Service) -> None:
    [live] = serving(working)
    version = next(one["version"] for one in working.status("live")["releases"] if one["id"] == live)
    before = process_ids(working)

    beside = working.run("exec", "--process", "worker", "--", "sh", "-c", BOUND)
    assert beside.out.split() == [str(64 << 20), version]
    assert f"sh runs in {version} ({live}) of live, as process worker" in beside.err
    assert working.run("exec", "--", "sh", "-c", BOUND).out.split() == [str(512 << 20), version]

    name = "cat /proc/sys/kernel/hostname"
    inside = working.run("exec", "--attach", "--process", "worker.2", "--", *name.split())
    second = working.host.inspect(f"{working.name}-live.worker.2")
    assert inside.out.strip() == second["Config"]["Hostname"]
    ran = working.last_run().ran
    assert ran is not None
    assert (ran.process, ran.attached) == ("worker.2", True)

    refused = working.run("exec", "--process", "nobody", "--", "true", code=RefusedError.exit_code)
    assert "processes: clock, worker (2 copies)" in refused.err
    assert process_ids(working) == before
    assert_nothing_left(working)


def test_a_worker_that_ends_at_once_brings_the_old_ones_back(working: Service) -> None:
    before = serving(working)
    working.write("worker.py", ENDS_ON_LIVE)
    working.commit("A worker that ends on live")

    with users(working.url("live")) as answers:
        done = working.deploy(code=ProcessFailed.exit_code)

    assert answers.failures == []
    assert "KeyError: 'QUEUE'" in done.err
    assert "live is put back" in done.err
    assert serving(working) == before == releases(working)
    assert {one["state"] for one in processes(working).values()} == {"running"}
    record = working.last_run().result
    assert record is not None
    assert record.outcome == "returned"
    assert_nothing_left(working)


@MATRIX
def test_a_worker_that_is_deaf_is_killed_after_its_stop_timeout(working: Service) -> None:
    working.write("worker.py", DEAF)
    working.configure(processes={"worker": {"command": "python3 worker.py", "stop_timeout": 2}})
    working.deploy()
    assert set(processes(working)) == {"worker.1"}, "what is no longer configured has ended"

    working.write("worker.py", WORKER)
    working.commit("A worker that listens")
    before = int(time.time())
    working.deploy()

    ends = {of["exitCode"] for action, _, _, of in events(working, before) if action == "die"}
    assert ends == {"137"}
    assert releases(working) == serving(working)
    assert_nothing_left(working)


@MATRIX
def test_a_canary_leaves_them_with_the_old_release_until_it_has_all_traffic(working: Service) -> None:
    working.configure(environments={"live": {"canary": [50], "canary_every": "3s"}})
    [old] = serving(working)
    working.greet("canary")

    with underway(working, "deploy") as run:
        run.wait_until(lambda: sorted(working.traffic("live").values())[-2:] == [50, 50], "the canary")
        assert releases(working) == {old}
        run.finish(0)

    assert releases(working) == serving(working) != {old}
    working.configure(environments=None)


@MATRIX
def test_a_gate_of_live_that_fails_brings_them_back(working: Service) -> None:
    before = serving(working)
    working.greet("bad on live")

    working.deploy("--canary", "50", code=TrafficReturned.exit_code, fail_at="live")

    assert serving(working) == before == releases(working)
    assert {one["state"] for one in processes(working).values()} == {"running"}
    assert_nothing_left(working)


@MATRIX
def test_a_held_candidate_has_none_until_it_is_promoted(working: Service) -> None:
    before, ids = releases(working), process_ids(working)
    working.greet("held")
    working.deploy("--hold")
    assert releases(working) == before
    assert process_ids(working) == ids, "nobody has touched them"

    working.run("promote")

    assert releases(working) == serving(working) != before


@MATRIX
def test_a_rollback_turns_them_round(working: Service) -> None:
    before = releases(working)

    working.run("rollback")

    assert releases(working) == serving(working) != before
    assert {one["state"] for one in processes(working).values()} == {"running"}
    assert [one.name for one in working.last_run().steps][-1] == "live-processes"


@MATRIX
def test_one_that_somebody_removed_is_in_nobodys_way_and_comes_back(working: Service) -> None:
    working.greet("to go back from")
    working.deploy()
    before = releases(working)
    _remove(working, "live.worker.1")

    with users(working.url("live")) as answers:
        working.run("rollback")

    assert answers.failures == []
    assert releases(working) == serving(working) != before
    assert {one["state"] for one in processes(working).values()} == {"running"}

    _remove(working, "live.worker.1")
    working.greet("after a worker was removed")
    working.deploy()
    assert releases(working) == serving(working)

    _remove(working, "live.worker.1")
    _remove(working, "staging.worker.1")
    done = working.deploy()
    assert "unchanged" in done.err
    assert releases(working) == serving(working)
    for environment in ("live", "staging"):
        assert {one["state"] for one in processes(working, environment).values()} == {"running"}
    limit = working.host.inspect(f"{working.name}-live.worker.1")["HostConfig"]["PidsLimit"]
    assert limit == 512, "it has its limit again"
    updates = working.updates()
    working.deploy()
    assert working.updates() == updates
    assert_nothing_left(working)


def _remove(service: Service, name: str) -> None:
    service.host.client.api.remove_container(f"{service.name}-{name}", force=True)


@MATRIX
def test_a_candidate_that_fails_leaves_them_alone(working: Service) -> None:
    ids = process_ids(working)
    working.greet("bad")
    working.deploy(code=CandidateGateFailed.exit_code, fail_at="candidate")
    assert process_ids(working) == ids


@MATRIX
def test_with_overlap_the_new_one_starts_first(working: Service) -> None:
    process = {"command": "python3 worker.py", "overlap": True}
    working.configure(processes={"worker": process})
    working.deploy()
    [first] = releases(working)
    working.greet("overlapping")
    before = int(time.time())

    working.deploy()

    [second] = releases(working)
    order = [(action, release) for action, _, release, _ in events(working, before)]
    assert order.index(("start", second)) < order.index(("die", first))
    assert ("die", second) not in order
    assert_nothing_left(working)
    updates = working.updates()
    working.deploy()
    assert working.updates() == updates


@MATRIX
def test_a_health_command_decides_in_the_place_of_time(working: Service) -> None:
    command = ["sh", "-c", LOOKS_BETTER]
    process = {"command": "python3 worker.py", "settle": "1h", "health": command}
    working.configure(processes={"worker": process})
    working.deploy()
    assert releases(working) == serving(working)

    before = serving(working)
    unwell = {**process, "settle": 0, "health": "sh -c 'exit 9'"}
    working.configure(start_timeout=4, processes={"worker": unwell})
    done = working.run("deploy", "--only", "staging", code=ProcessFailed.exit_code)
    assert "its health command fails" in done.err
    assert "exit code 9" in done.err
    assert "live is untouched" in done.err
    assert serving(working) == before == releases(working)
    working.configure(start_timeout=None)


@MATRIX
def test_a_command_that_is_not_there_is_named(working: Service) -> None:
    working.configure(processes={"worker": "no-such-program --work"})
    done = working.run("deploy", "--only", "staging", code=ProcessFailed.exit_code)
    assert "exec no-such-program failed" in done.err
    assert "correct its command in `processes`" in done.err


@MATRIX
def test_somebody_elses_container_of_that_name_is_left_alone(
    working: Service, docker_client: docker.DockerClient
) -> None:
    working.configure(processes={"other": "python3 worker.py"})
    image = REFERENCES["base"]
    name = f"{working.name}-staging.other.1"
    theirs = docker_client.containers.create(image, name=name, command=["true"])
    try:
        updates = working.updates()
        done = working.deploy(code=RefusedError.exit_code)
        assert f"container {name}" in done.err
        assert working.updates() == updates
        assert "build" not in [one.name for one in working.last_run().steps]
    finally:
        theirs.remove(force=True)


@MATRIX
@pytest.mark.parametrize("target", ["gcp-cloud-run", "aws-beanstalk"])
def test_a_target_that_cannot_refuses_them_before_anything(working: Service, target: str) -> None:
    before = dict(working.config)
    working.configure(
        deploy_target=target, docker_repo="my-project", gcp_region="europe-west1", aws_region="eu-west-1"
    )
    done = working.deploy(code=ConfigError.exit_code)
    assert f"is not possible on {target}" in done.err
    working.configure(**{name: before.get(name) for name in working.config})


@MATRIX
def test_a_run_that_is_killed_while_it_waits_for_them_has_proven_nothing(working: Service) -> None:
    """The next run finds that its release serves already, and still goes back."""
    working.write("worker.py", WORKER)
    working.configure(start_timeout=15, processes={"worker": "python3 worker.py"})
    working.deploy()
    [old] = serving(working)
    health = ["sh", "-c", 'case "$PYM_ENV" in *-live) exit 9;; esac']
    process = {"command": "python3 worker.py", "settle": 0, "health": health}
    working.configure(processes={"worker": process})

    with underway(working, "deploy") as run:
        run.wait_for_step("live-processes")
        run.lose_power()
    assert serving(working) != {old}
    done = working.deploy(code=ProcessFailed.exit_code)

    assert "live is put back" in done.err
    assert "build" not in [one.name for one in working.last_run().steps], "it was there already"
    assert serving(working) == {old} == releases(working)
    working.configure(start_timeout=None)
    assert_nothing_left(working)


@MATRIX
def test_a_run_that_is_killed_while_they_move_is_followed_by_one_that_goes_on(working: Service) -> None:
    """The engine is killed too, while it waits for a worker that is deaf."""
    working.write("worker.py", DEAF)
    working.configure(processes={"worker": {"command": "python3 worker.py", "stop_timeout": 8}})
    working.deploy()
    [old] = serving(working)
    working.write("worker.py", WORKER)
    working.commit("A worker that listens")

    with users(working.url("live")) as answers:
        with underway(working, "deploy") as run:
            run.wait_for_step("shift")
            run.wait_until(lambda: working.serving("live") != old, "the move")
            run.lose_power()
        working.deploy()

    assert answers.failures == []
    assert releases(working) == serving(working) != {old}
    assert_nothing_left(working)
