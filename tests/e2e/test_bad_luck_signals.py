"""Ctrl-C and SIGTERM at every step: what was begun is undone, and users of live see nothing of it.

Each interrupted run begins where the one before it left off, so that each also proves that the one
before has left nothing in its way; the last test deploys what all of them were about to.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import pytest

from tests.e2e.leftovers import assert_nothing_left
from tests.e2e.load import Answers, users
from tests.e2e.service import Service
from tests.e2e.underway import Underway, make_holdable, underway

MATRIX = pytest.mark.matrix(reason="test_a_signal_as_a_step_begins shows it once, while traffic moves")

INTERRUPTED = 130
SLOW_BUILD = "RUN : {name}; sleep 3\n"


@pytest.fixture(scope="module")
def changed(service: Service) -> Service:
    """A service with one release on live and another version committed."""
    make_holdable(service)
    service.deploy()
    service.greet("second")
    return service


@contextmanager
def interrupted(service: Service, hold_at: str = "") -> Iterator[tuple[Underway, Answers]]:
    """A deployment that the block interrupts, under the eyes of users who must not notice."""
    live, staging = service.traffic("live"), service.traffic("staging")
    with users(service.url("live")) as answers, underway(service, "deploy", hold_at=hold_at) as run:
        yield run, answers
        done = run.finish(INTERRUPTED)
    assert answers.failures == []
    assert done.out == ""
    assert done.err.count("warning: stopping") == 1
    assert service.traffic("live") == live
    assert {service.serving("live")} == {one for one, percent in live.items() if percent}
    result, steps = service.last_run().result, [step.name for step in service.last_run().steps]
    assert result is not None
    assert (result.outcome, result.exit_code) == ("interrupted", INTERRUPTED)
    assert service.traffic("staging") == staging or "candidate" in steps, (
        "staging goes back until it is proven"
    )
    assert_nothing_left(service)


@MATRIX
def test_a_first_deployment_is_undone(service: Service) -> None:
    make_holdable(service)
    for step in ("staging", "candidate"):
        with underway(service, "deploy") as run:
            run.wait_for_step(step)
            run.send(signal.SIGINT)
            run.finish(INTERRUPTED)
        assert service.status("live")["releases"] == []
        assert_nothing_left(service)


@pytest.mark.parametrize(
    ("step", "number"),
    [
        pytest.param("build", signal.SIGINT, marks=MATRIX),
        pytest.param("unit", signal.SIGTERM, marks=MATRIX),
        pytest.param("local", signal.SIGINT, marks=MATRIX),
        pytest.param("push", signal.SIGTERM, marks=MATRIX),
        pytest.param("staging", signal.SIGINT, marks=MATRIX),
        pytest.param("staging-gate", signal.SIGTERM, marks=MATRIX),
        pytest.param("candidate", signal.SIGINT, marks=MATRIX),
        pytest.param("candidate-gate", signal.SIGTERM, marks=MATRIX),
        ("shift", signal.SIGINT),
        pytest.param("live-gate", signal.SIGTERM, marks=MATRIX),
    ],
)
def test_a_signal_as_a_step_begins(changed: Service, step: str, number: signal.Signals) -> None:
    with interrupted(changed) as (run, _):
        run.wait_for_step(step)
        run.send(number)


@MATRIX
def test_a_signal_while_the_image_is_being_built(changed: Service) -> None:
    changed.write("Dockerfile.extra", SLOW_BUILD.format(name=changed.name))
    changed.commit("Build slowly")

    with interrupted(changed) as (run, _):
        run.wait_until(lambda: is_building(changed), "the slow line of the build")
        run.send(signal.SIGINT)

    assert not is_building(changed), "nobody goes on with what nobody waits for"


@MATRIX
@pytest.mark.parametrize("gate", ["unit", "local", "staging", "candidate", "live"])
def test_a_signal_while_tests_run(changed: Service, gate: str) -> None:
    with interrupted(changed, hold_at=gate) as (run, _):
        run.wait_until_held()
        run.send(signal.SIGINT)


@MATRIX
@pytest.mark.parametrize("environment", ["staging", "live"])
def test_a_signal_when_the_new_container_has_just_been_made(changed: Service, environment: str) -> None:
    before = changed.host.releases(environment)
    changed.greet(f"new in {environment}")

    with interrupted(changed) as (run, _):
        run.wait_until(lambda: bool(changed.host.releases(environment) - before), "the new container")
        run.send(signal.SIGTERM)


@MATRIX
def test_a_signal_when_the_new_release_has_just_got_traffic(changed: Service) -> None:
    with interrupted(changed) as (run, answers):
        run.wait_until(lambda: len(answers.releases) > 1, "the new release")
        run.send(signal.SIGINT)

    assert len(changed.host.releases("live")) == 1


@MATRIX
def test_a_second_signal_only_says_that_the_first_is_being_heeded(changed: Service) -> None:
    with interrupted(changed) as (run, _):
        run.wait_for_step("shift")
        run.send(signal.SIGINT)
        run.wait_until(lambda: "warning: stopping" in run.err, "the answer to the first signal")
        run.send(signal.SIGINT)
        run.wait_until(lambda: "warning: still stopping" in run.err, "the answer to the second signal")


def test_what_was_interrupted_so_often_goes_live(changed: Service) -> None:
    [old] = changed.traffic("live")

    with users(changed.url("live")) as answers:
        new = changed.deploy("--json").json()["release"]

    assert answers.failures == []
    assert changed.traffic("live") == {old: 0, new: 100}
    assert_nothing_left(changed)


def is_building(service: Service) -> bool:
    """Whether the slow line is being run, in whatever way the Docker engine builds."""
    lines = (one.info["cmdline"] or [] for one in psutil.process_iter(["cmdline"]))
    return any(f": {service.name};" in " ".join(line) for line in lines)
