"""The process that forks pytest for the gates: it never outlives its run, and no run needs it."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator

import psutil
import pytest

from tests.e2e.service import PATIENCE, Service
from tests.e2e.underway import POLL, Underway, underway

SCRIPT = "acceptance/fork_server.py"
pytestmark = pytest.mark.matrix(
    reason="test_bad_luck_signals and test_bad_luck_kill show once that nothing outlives a run"
)


@pytest.fixture
def changed(deployed: Service) -> Iterator[Service]:
    """A service with one release on live and another version committed."""
    deployed.greet(f"at {time.monotonic_ns()}")
    yield deployed
    assert forking(deployed) == []


def forking(service: Service) -> list[psutil.Process]:
    """Processes that fork, keep or run pytest in the service's folder."""
    found = []
    for one in psutil.process_iter():
        try:
            if one.cwd() == str(service.folder) and SCRIPT in " ".join(one.cmdline()):
                found.append(one)
        except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
            continue
    return found


def wait_for_server(run: Underway, service: Service, step: str) -> list[psutil.Process]:
    run.wait_for_step(step)
    run.wait_until(lambda: forking(service) != [], "a process that forks")
    return forking(service)


@pytest.mark.parametrize("step", ["staging", "candidate", "shift"])
def test_an_interrupted_step_leaves_no_process_behind(changed: Service, step: str) -> None:
    live = changed.serving("live")

    with underway(changed, "deploy") as run:
        wait_for_server(run, changed, step)
        run.send(signal.SIGINT)
        run.finish(code=130)
        assert forking(changed) == []

    assert changed.serving("live") == live


def test_a_service_that_never_answers_leaves_no_process_behind(changed: Service) -> None:
    live = changed.serving("live")
    changed.configure(health_path="/there-is-no-such-path", start_timeout=2)

    try:
        changed.run("deploy", code=14)
    finally:
        changed.configure(health_path=None, start_timeout=None)

    assert forking(changed) == []
    assert changed.serving("live") == live


def test_the_server_of_a_killed_driver_ends_and_the_next_run_goes_through(changed: Service) -> None:
    with underway(changed, "deploy") as run:
        wait_for_server(run, changed, "candidate")
        run.send(signal.SIGKILL)
        run.process.wait()
        give_up = time.monotonic() + PATIENCE
        while forking(changed):
            assert time.monotonic() < give_up, "it is still there"
            time.sleep(POLL)

    changed.deploy()


@pytest.mark.parametrize("step", ["staging", "staging-gate"])
def test_a_run_whose_server_is_killed_goes_through(changed: Service, step: str) -> None:
    with underway(changed, "deploy") as run:
        for process in wait_for_server(run, changed, step):
            process.kill()
        run.finish(code=0)
