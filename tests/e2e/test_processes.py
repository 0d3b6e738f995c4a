"""Processes of a release start once it has all traffic, and end when another release has it."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable, Mapping
from typing import Any

import docker
import pytest

from curtainup.errors import CandidateGateFailed, ConfigError, ProcessFailed, RefusedError, TrafficReturned
from tests.e2e.leftovers import assert_nothing_left
from tests.e2e.load import users
from tests.e2e.service import PATIENCE, Service
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
print("at work as", os.environ["VERSION"], os.environ["HELLO_SECRET"], flush=True)
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


def serving(service: Service) -> set[str]:
    return {one for one, share in service.traffic("live").items() if share == 100}


def events(service: Service, since: float) -> list[tuple[str, str, str, Mapping[str, str]]]:
    """What happened to processes on live: action, name, release and all attributes, in order."""
    wanted = {"label": [f"curtainup.service={service.name}", "curtainup.environment=live"]}
    found = service.host.client.api.events(
        since=since, until=time.time() + 0.5, filters={**wanted, "type": "container"}, decode=True
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
    assert not worker["HostConfig"]["PortBindings"]

    working.greet("second")
    before = time.time()
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


def test_a_second_run_changes_nothing(working: Service) -> None:
    before = working.updates()
    working.deploy()
    assert working.updates() == before
    assert working.run("preview", code=0).out.count("no changes") == 3


def test_their_logs_are_shown_by_their_names(working: Service) -> None:
    [live] = serving(working)
    lines = working.run("logs", "--process", "worker").out.splitlines()
    told = {line.split(" ", 1)[1] for line in lines}
    version = next(one["version"] for one in working.status("live")["releases"] if one["id"] == live)
    assert told == {f"{live} worker.{number} at work as {version} (hidden)" for number in (1, 2)} or told
    data = [json.loads(one) for one in working.run("logs", "--process", "clock", "--json").out.splitlines()]
    assert {one["process"] for one in data} == {"clock.1"}
    assert "at work" not in working.run("logs").out
    refused = working.run("logs", "--process", "nobody", code=RefusedError.exit_code)
    assert "processes: clock, worker" in refused.err


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
