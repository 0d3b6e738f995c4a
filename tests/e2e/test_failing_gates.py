"""Tests that fail at each gate in turn: live answers all the while, and nothing half-done is left behind."""

from __future__ import annotations

import pytest

from tests.e2e.load import users
from tests.e2e.service import Service

MATRIX = pytest.mark.matrix(
    reason="test_a_failing_gate_stops_the_run_and_live_never_fails shows the other gates"
)

FAILING_TEST = "test_passes_unless_told_otherwise"


@pytest.fixture(scope="module")
def changed(deployed: Service) -> Service:
    """A service with one release on live and another version committed."""
    deployed.greet("second")
    return deployed


@pytest.mark.parametrize(
    ("gate", "code", "outcome"),
    [
        pytest.param("unit", 7, "failed", marks=MATRIX),
        ("local", 9, "failed"),
        pytest.param("staging", 11, "failed", marks=MATRIX),
        pytest.param("candidate", 12, "failed", marks=MATRIX),
        ("live", 13, "returned"),
    ],
)
def test_a_failing_gate_stops_the_run_and_live_never_fails(
    changed: Service, gate: str, code: int, outcome: str
) -> None:
    live, staging = changed.traffic("live"), changed.traffic("staging")
    containers = changed.host.containers()

    with users(changed.url("live")) as answers:
        done = changed.deploy(code=code, fail_at=gate)

    assert answers.failures == []
    assert done.out == "", "there is no URL to print"
    assert FAILING_TEST in done.err, "the failing test is shown"
    assert "check out its commit" not in done.err, "the tests are the release's own"
    assert changed.traffic("live") == live
    assert changed.serving("live") in live
    if gate in {"unit", "local", "staging"}:
        assert changed.traffic("staging") == staging
        assert changed.host.containers() == containers
    assert changed.host.releases("live") == set(live), "the candidate is gone"
    assert changed.host.containers("local") == []
    result = changed.last_run().result
    assert result is not None
    assert (result.outcome, result.exit_code) == (outcome, code)
    assert result.why


def test_a_release_that_failed_on_live_had_traffic_and_lost_it_again(changed: Service) -> None:
    record = changed.last_run()

    assert [step.name for step in record.steps][-3:] == ["shift", "live-gate", "return"]
    assert [step.outcome for step in record.steps][-3:] == ["passed", "failed", "passed"]
    assert changed.proved() == ["local", "staging", "candidate"]


def test_the_same_version_goes_live_once_its_tests_pass(changed: Service) -> None:
    [old] = changed.traffic("live")

    new = changed.deploy("--json").json()["release"]

    assert changed.traffic("live") == {old: 0, new: 100}
    assert changed.get("live").json()["says"] == "second"
