"""Runs that are cut off: the driver killed, the power lost, and locks that others hold."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests

from tests.e2e.leftovers import assert_nothing_left, locks, pending
from tests.e2e.load import users
from tests.e2e.service import PATIENCE, Finished, Service, session
from tests.e2e.underway import make_holdable, underway

MATRIX = pytest.mark.matrix(
    reason="test_a_driver_that_is_killed_is_followed_by_one_that_goes_on and the power cut show it once"
)
ATTEMPTS = 5
LIVE_STACKS = ("image", "staging", "live")
IMPATIENT = (
    "import curtainup.engine.operations as e; e.LOCK_PATIENCE = 0.5; "
    "from curtainup.__main__ import main; main()"
)
"""The command line, but not waiting a minute for a lock."""


@pytest.fixture(scope="module")
def holdable(service: Service) -> Service:
    """A service with one release on live."""
    make_holdable(service)
    service.deploy()
    return service


@contextmanager
def unnoticed(service: Service) -> Iterator[None]:
    """A block that users of live do not notice; afterwards one version serves and nothing is left over."""
    with users(service.url("live")) as answers:
        yield
    assert answers.failures == []
    assert_nothing_left(service)
    assert max(service.traffic("live").values()) == 100
    for stack in LIVE_STACKS:
        service.run("pulumi", "preview", "--stack", f"{service.name}-{stack}", "--expect-no-changes")


def serves(service: Service, greeting: str) -> bool:
    return bool(service.get("live").json().get("says") == greeting)


@pytest.mark.parametrize(
    "step", ["candidate", *(pytest.param(one, marks=MATRIX) for one in ("build", "push", "staging", "shift"))]
)
def test_a_driver_that_is_killed_is_followed_by_one_that_goes_on(holdable: Service, step: str) -> None:
    holdable.greet(f"killed at {step}")

    with unnoticed(holdable):
        with underway(holdable, "deploy") as run:
            run.wait_for_step(step)
            run.wait_until(lambda: bool(locks(holdable)), "the engine")
            run.send(signal.SIGKILL)
            run.process.wait()
        holdable.deploy()

    assert serves(holdable, f"killed at {step}")


@pytest.mark.parametrize(
    ("step", "slow"),
    [
        ("candidate", False),
        *(pytest.param(one, False, marks=MATRIX) for one in ("build", "staging", "shift")),
        *(pytest.param(one, True, marks=MATRIX) for one in ("staging", "candidate", "shift")),
    ],
)
def test_a_job_that_is_cancelled_is_followed_by_one_that_goes_on(
    holdable: Service, step: str, slow: bool
) -> None:
    """An engine that is stopped, or a busy machine, is one that does not end within the ten seconds."""
    holdable.greet(f"cancelled at {step}, {slow}")

    with unnoticed(holdable):
        with underway(holdable, "deploy", in_a_step=True) as run:
            run.wait_for_step(step)
            if slow:
                run.wait_until(lambda: bool(locks(holdable)), "the engine")
                for one in run.family():
                    if one.name() == "pulumi":
                        one.suspend()
            run.cancel()
            in_time = {130, -signal.SIGTERM}
            assert run.process.returncode in {-signal.SIGKILL} | (set() if slow else in_time)
        holdable.deploy()

    assert serves(holdable, f"cancelled at {step}, {slow}")


def plugins(service: Service) -> list[psutil.Process]:
    """The Docker plugins of the service's runs."""
    found = psutil.process_iter(["cmdline"])
    folder = str(service.home)
    return [one for one in found if (one.info["cmdline"] or [""])[0].startswith(folder)]


@contextmanager
def hard_to_stop(service: Service) -> Iterator[str]:
    """Keep the release busy that the next update of staging removes, for seconds; yields its id."""
    [release] = [one for one, share in service.traffic("staging").items() if not share]
    done = threading.Event()
    url = service.state.read(f"{service.name}-staging").outputs["release_urls"][release]

    def ask(number: int) -> None:
        done.wait(2 * number)
        with session() as direct, suppress(requests.RequestException):
            while not done.is_set():
                direct.get(f"{url}/slow?seconds=10", timeout=60)

    asking = [threading.Thread(target=ask, args=(number,), daemon=True) for number in range(5)]
    for one in asking:
        one.start()
    yield release
    done.set()


@MATRIX
def test_a_driver_that_is_killed_while_the_gate_runs_beside_the_update_is_followed_by_one_that_goes_on(
    holdable: Service,
) -> None:
    holdable.greet("on staging alone")
    holdable.deploy("--until", "staging")
    holdable.greet("killed beside an update")

    with unnoticed(holdable), hard_to_stop(holdable) as old:
        with underway(holdable, "deploy", hold_at="staging") as run:
            run.wait_until_held()
            assert old in holdable.host.releases("staging"), "the gate has not waited for its end"
            assert locks(holdable), "the update goes on"
            *_, staging, gate = holdable.last_run().steps
            assert (staging.name, staging.ended) == ("staging", None)
            assert gate.name == "staging-gate"
            run.send(signal.SIGKILL)
            run.process.wait()
        holdable.deploy()

    assert serves(holdable, "killed beside an update")
    assert plugins(holdable) == [], "the plugin has ended after the engine"


@pytest.mark.matrix(reason="test_a_driver_that_is_killed_is_followed_by_one_that_goes_on shows a kill once")
def test_a_plugin_that_is_killed_fails_no_run(holdable: Service) -> None:
    holdable.greet("without its plugin")

    with unnoticed(holdable), underway(holdable, "deploy", hold_at="candidate") as run:
        run.wait_until_held()
        [shared] = plugins(holdable)
        shared.kill()
        run.held.unlink()
        run.finish(0)

    assert serves(holdable, "without its plugin")
    assert plugins(holdable) == []


@pytest.mark.parametrize(
    "step", ["shift", *(pytest.param(one, marks=MATRIX) for one in ("push", "staging", "candidate"))]
)
def test_a_power_cut_in_the_middle_of_an_update_is_put_right(holdable: Service, step: str) -> None:
    with unnoticed(holdable):
        greeting = cut_off_in_an_update(holdable, step)
        done = holdable.deploy()

    assert "took over the lock" in done.err
    assert serves(holdable, greeting)


@MATRIX
def test_a_power_cut_once_traffic_has_moved_is_put_right(holdable: Service) -> None:
    """The state has the new traffic, and the configuration of no update that ended has it."""
    holdable.greet("moved when cut off")
    holdable.deploy()
    forget_last_update(holdable, "live")
    shutil.rmtree(holdable.last_run_folder())
    with subprocess.Popen(["true"]) as ended:
        pass
    lock_by_hand(holdable, "live", socket.gethostname(), ended.pid)

    with unnoticed(holdable):
        done = holdable.deploy()
    steps = [step.name for step in holdable.last_run().steps]
    holdable.greet("after it was put right")
    holdable.deploy()

    assert "took over the lock" in done.err
    assert steps == ["settle", "live-gate"]
    assert serves(holdable, "after it was put right")


@MATRIX
@pytest.mark.parametrize("step", ["build", "staging"])
def test_a_first_deployment_that_lost_its_power_is_followed_by_one_that_goes_on(
    new_service: Callable[[], Service], step: str
) -> None:
    service = new_service()
    with underway(service, "deploy") as run:
        run.wait_for_step(step)
        run.wait_until(lambda: bool(pending(service)), "an operation of the engine")
        run.lose_power()

    release = service.deploy("--json").json()["release"]

    assert service.serving("live") == release
    assert_nothing_left(service)


@MATRIX
def test_what_a_provider_that_was_killed_had_made_is_removed(holdable: Service) -> None:
    """No state knows of it, as the provider had no time to tell the engine."""
    holdable.greet("made again")
    [network] = holdable.host.client.networks.list(names=[f"{holdable.name}-staging"])
    labels = holdable.host.inspect(f"{holdable.name}-staging-proxy")["Config"]["Labels"]
    image = holdable.host.images()[0]
    stray = holdable.host.client.containers.create(
        image, name=f"{holdable.name}-staging-stray", labels=labels, network=str(network.name)
    )

    with unnoticed(holdable):
        done = holdable.deploy()

    assert f"removed {stray.name}, which a run that was cut off had created" in done.err
    assert stray.name not in holdable.host.containers()


@MATRIX
def test_a_release_that_a_killed_run_left_unproven_is_proved_first(holdable: Service) -> None:
    holdable.greet("unproven")
    cut_off_at_live_gate(holdable)
    assert serves(holdable, "unproven")

    with unnoticed(holdable):
        done = holdable.deploy("--json")

    assert done.json()["changed"] is False
    assert [step.name for step in holdable.last_run().steps] == ["live-gate"]


@MATRIX
@pytest.mark.parametrize("kills", [1, 2])
@pytest.mark.parametrize("keep", [0, 1])
def test_traffic_returns_to_the_last_proven_release_not_to_the_unproven_ones(
    holdable: Service, keep: int, kills: int
) -> None:
    holdable.configure(keep=keep)
    holdable.greet(f"proven {keep} {kills}")
    proven = holdable.deploy("--json").json()["release"]
    for number in range(kills):
        holdable.greet(f"unproven {number}")
        cut_off_at_live_gate(holdable)
    holdable.greet(f"fails {keep} {kills}")

    with unnoticed(holdable):
        holdable.deploy(code=13, fail_at="live")

    assert holdable.serving("live") == proven


@MATRIX
@pytest.mark.parametrize(
    ("hostname", "pid"),
    [("elsewhere.example", 4711), (socket.gethostname(), os.getpid())],
    ids=["another machine", "a living process"],
)
def test_the_lock_of_another_machine_or_of_a_living_process_is_respected(
    holdable: Service, hostname: str, pid: int
) -> None:
    holdable.greet(f"locked by {hostname}")
    lock = lock_by_hand(holdable, "image", hostname, pid)

    with unnoticed_except(lock, holdable):
        done = impatiently(holdable, "deploy")

    assert done.code == 16
    assert f"someone@{hostname} (pid {pid})" in done.err


@MATRIX
def test_a_run_that_waits_for_a_lock_can_be_interrupted(holdable: Service) -> None:
    lock = lock_by_hand(holdable, "image", "elsewhere.example", 4711)

    with unnoticed_except(lock, holdable), underway(holdable, "deploy") as run:
        run.wait_for_step("build")
        run.send(signal.SIGINT)
        run.finish(130)


@MATRIX
def test_of_two_deployments_at_once_the_second_is_turned_away(holdable: Service) -> None:
    holdable.greet("the first of two")

    with unnoticed(holdable):
        with underway(holdable, "deploy", hold_at="unit") as first:
            first.wait_until_held()
            second = holdable.deploy(code=16)
            first.held.unlink()
            first.finish(0)
        assert f"process {first.process.pid}: curtainup deploy" in second.err

    assert serves(holdable, "the first of two")


def cut_off_in_an_update(service: Service, step: str) -> str:
    """Lose power in the middle of a step's update; return the greeting of the version that it deploys.

    An update may end between the look at its state and the cut, so another version tries again.
    """
    for attempt in range(ATTEMPTS):
        greeting = f"cut off at {step}, {attempt}"
        service.greet(greeting)
        with underway(service, "deploy") as run:
            run.wait_for_step(step)
            run.wait_until(lambda: bool(pending(service)), "an operation of the engine")
            run.lose_power()
        if locks(service):
            return greeting
        service.deploy()
    raise AssertionError(f"each of {ATTEMPTS} updates of {step} ended before the power went")


def cut_off_at_live_gate(service: Service) -> None:
    """Deploy, and lose power when the release has all traffic and no proof."""
    with underway(service, "deploy", hold_at="live") as run:
        run.wait_until_held()
        run.lose_power()


def forget_last_update(service: Service, stack: str) -> None:
    """Leave of a stack's last update what a power cut leaves once its resources are as declared.

    The history has no entry of it, and the stack's outputs are those of the update before.
    """
    [project] = (service.state_folder / ".pulumi" / "history").iterdir()
    name = f"{service.name}-{stack}"
    *_, before, last = sorted((project / name).glob("*.history.json"))
    state = service.state_folder / ".pulumi" / "stacks" / project.name / f"{name}.json"
    now, then = (json.loads(file.read_text()) for file in (state, _checkpoint(before)))
    _root(now)["outputs"] = _root(then)["outputs"]
    state.write_text(json.dumps(now))
    _checkpoint(last).unlink()
    last.unlink()


def _checkpoint(entry: Path) -> Path:
    return entry.with_name(entry.name.replace(".history.", ".checkpoint."))


def _root(state: dict[str, Any]) -> dict[str, Any]:
    resources = state["checkpoint"]["latest"]["resources"]
    return next(one for one in resources if one["type"] == "pulumi:pulumi:Stack")


def lock_by_hand(service: Service, stack: str, hostname: str, pid: int) -> Path:
    """Lock a stack as the engine does (`pkg/backend/diy/lock.go`)."""
    [project] = (service.state_folder / ".pulumi" / "stacks").iterdir()
    folder = service.state_folder / ".pulumi/locks/organization" / project.name / f"{service.name}-{stack}"
    folder.mkdir(parents=True, exist_ok=True)
    lock = folder / f"{uuid.uuid4()}.json"
    found = {"pid": pid, "username": "someone", "hostname": hostname, "timestamp": "2026-01-02T03:04:05Z"}
    lock.write_text(json.dumps(found))
    return lock


@contextmanager
def unnoticed_except(lock: Path, service: Service) -> Iterator[None]:
    """A block that leaves everything as it is, and the lock where it is."""
    live, staging, containers = service.traffic("live"), service.traffic("staging"), service.host.containers()
    text = lock.read_text()
    with users(service.url("live")) as answers:
        yield
    assert answers.failures == []
    assert lock.read_text() == text
    lock.unlink()
    assert (service.traffic("live"), service.traffic("staging")) == (live, staging)
    assert service.host.containers() == containers


def impatiently(service: Service, *arguments: str) -> Finished:
    """Run a command that does not wait long for locks."""
    done = subprocess.run(
        [sys.executable, "-P", "-c", IMPATIENT, *arguments],
        cwd=service.folder,
        env=service.variables(),
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=PATIENCE,
        check=False,
    )
    return Finished(done.returncode, done.stdout, done.stderr)
