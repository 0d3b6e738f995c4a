"""What goes wrong on Cloud Run, in turn on one service: live never fails, and the next run is good."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from curtainup.rehearsal.gcp.common import STATE
from tests.e2e.load import users
from tests.e2e.rehearsed import CLOUD_RUN, Rehearsed, rehearsed
from tests.e2e.service import Finished
from tests.e2e.test_rehearsal_cloud_run import PROJECT, cloud_service, version_of
from tests.e2e.underway import underway

MATRIX = pytest.mark.matrix(
    reason="test_a_fault_strikes_with_the_real_text_and_nothing_is_left_behind shows each fault"
)

HOUR = 3600.0
SLEEPS = 'if "K_SERVICE" in os.environ:\n    time.sleep(600)\n'
"""What makes a revision that never listens, though the container does in the local gate."""


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, service_python: Path) -> Iterator[Rehearsed]:
    with rehearsed(tmp_path_factory.mktemp("e2e"), service_python, **CLOUD_RUN) as one:
        one.deploy()
        one.greet("second")
        yield one


def failing(service: Rehearsed, code: int, *faults: str, fail_at: str | None = None) -> Finished:
    """Rehearse what fails, and check that live was never touched."""
    before, answers_before = service.traffic("live"), version_of(service.get("live", "/version"))
    with users(service.url("live"), "/version", version_of) as answers:
        done = service.deploy(code=code, fail_at=fail_at, faults=faults)
    assert answers.failures == []
    assert done.out == "", "there is no URL to print"
    assert service.traffic("live") == before
    assert version_of(service.get("live", "/version")) == answers_before
    if fail_at != "live":
        assert set(answers.releases) == {answers_before}, "no user has seen another release"
    return done


def revisions(service: Rehearsed, environment: str = "live") -> dict[str, str | None]:
    """By release id why its revision failed, or None; of all that there ever were."""
    found = cloud_service(service, environment)
    assert found is not None
    return {name.rpartition("-")[2]: one["failure"] for name, one in found["revisions"].items()}


def running(service: Rehearsed) -> set[str]:
    """The releases of live that have a running container."""
    named = f"{service.name}-live-"
    found = service.containers().items()
    return {name.rpartition(named)[2] for name, state in found if named in name and state == "running"}


@MATRIX
@pytest.mark.parametrize(
    ("gate", "code", "outcome"),
    [("staging", 11, "failed"), ("candidate", 12, "failed"), ("live", 13, "returned")],
)
def test_a_failing_gate_stops_the_run(service: Rehearsed, gate: str, code: int, outcome: str) -> None:
    staging = service.traffic("staging")

    done = failing(service, code, fail_at=gate)

    assert "test_passes_unless_told_otherwise" in done.err
    if gate == "staging":
        assert service.traffic("staging") == staging
    assert running(service) == set(service.traffic("live")), "the candidate is gone"
    result = service.last_run().result
    assert result is not None
    assert (result.outcome, result.exit_code) == (outcome, code)


@MATRIX
def test_a_crash_is_told_with_the_container_s_own_words(service: Rehearsed) -> None:
    done = failing(service, 14, "crash")

    assert "the revision did not become ready" in done.err
    assert "rehearsal: this release was asked to crash" in done.err
    assert [why for why in revisions(service).values() if why] != []
    assert running(service) == set(service.traffic("live"))


@MATRIX
def test_a_used_up_quota_changes_nothing(service: Rehearsed) -> None:
    known = revisions(service)

    done = failing(service, 17, "quota")

    assert "Quota exceeded for total allowable CPU per project per region" in done.err
    assert revisions(service) == known


@MATRIX
def test_a_change_that_was_made_by_half_is_put_back(service: Rehearsed) -> None:
    done = failing(service, 17, "partial")

    assert "An internal error has occurred" in done.err
    assert running(service) == set(service.traffic("live"))


@MATRIX
def test_what_only_takes_time_is_waited_for_and_a_retry_is_another_revision(service: Rehearsed) -> None:
    tried = revisions(service)

    with users(service.url("live"), "/version", version_of) as answers:
        service.deploy(faults=("throttle", "slow-start"))

    assert answers.failures == []
    [new] = set(revisions(service)) - set(tried)
    assert service.traffic("live")[new] == 100
    assert service.get("live").json()["says"] == "second"


@MATRIX
def test_a_revision_that_never_listens_ends_in_start_timeout(service: Rehearsed) -> None:
    staging = service.traffic("staging")
    service.configure(start_timeout=15)
    service.edit("server.py", "app = Flask(__name__)\n", f"{SLEEPS}app = Flask(__name__)\n")

    done = failing(service, 14)

    assert "start_timeout" in done.err
    assert service.traffic("staging") == staging
    assert service.serving("staging") in staging


@MATRIX
def test_a_first_deployment_waits_for_what_google_enforces_late(tmp_path: Path, service_python: Path) -> None:
    """APIs that were just enabled, and the grant that lets the public in."""
    faults = ["slow-api", "slow-grant@staging", "slow-grant"]
    with rehearsed(tmp_path, service_python, **CLOUD_RUN, gcp_public_grant=True) as one:
        done = one.deploy(faults=faults)
        assert "waiting, as it is too early: an API is not enabled, or was enabled only just now" in done.err
        assert done.err.count("waiting until the public may call it: HTTP 403") > 1
        assert one.get("live").status_code == 200
        assert one.proved() == ["local", "staging", "candidate", "live"]


def enforce(one: Rehearsed, since: float) -> None:
    """Let Google enforce the grants on secrets from a time on, in seconds since 1970."""
    with one.rehearsal.cloud(STATE) as state:
        enforced = state["projects"][PROJECT]["enforced"]
        enforced |= {grant: since for grant in enforced if "/secrets/" in grant}


REFUSED = "waiting, as it is too early: the containers may not read one of their secrets yet"


@MATRIX
def test_a_secret_that_is_granted_during_the_run_costs_no_second_deployment(
    tmp_path: Path, service_python: Path
) -> None:
    with rehearsed(tmp_path, service_python, **CLOUD_RUN) as one:
        one.deploy()
        before, staging = set(revisions(one)), set(revisions(one, "staging"))
        one.greet("second")
        enforce(one, time.time() + HOUR)
        with (
            users(one.url("live"), "/version", version_of) as answers,
            underway(one, "rehearse", "--json") as run,
        ):
            run.wait_until(lambda: REFUSED in run.err, "the refusal")
            enforce(one, 0)
            new = run.finish(0).json()["release"]

        assert answers.failures == []
        assert one.traffic("live")[new] == 100
        assert set(revisions(one)) - before == {new}
        refused = {name: why for name, why in revisions(one, "staging").items() if name not in staging}
        assert sorted(bool(why) for why in refused.values()) == [False, True]
        assert running(one) == set(one.traffic("live"))
        one.run("preview", code=0)


@MATRIX
def test_who_does_not_wait_for_a_grant_deploys_again_and_builds_nothing(
    tmp_path: Path, service_python: Path
) -> None:
    with rehearsed(tmp_path, service_python, **CLOUD_RUN) as one:
        one.deploy()
        one.greet("second")
        enforce(one, time.time() + HOUR)
        with underway(one, "rehearse") as run:
            run.wait_until(lambda: REFUSED in run.err, "the refusal")
            run.send(signal.SIGINT)
            run.finish(130)
        enforce(one, 0)

        done = one.deploy()
        assert "is in the registry" in done.err
        assert one.get("live").json()["says"] == "second"
        assert running(one) == set(one.traffic("live"))
