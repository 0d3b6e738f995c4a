"""What goes wrong on the stand-in of Elastic Beanstalk: live serves on, and nothing idle is billed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.amazon import by_hand, environments, holder, wait_for
from tests.e2e.load import users
from tests.e2e.rehearsed import BEANSTALK, Rehearsed, rehearsed

pytestmark = pytest.mark.matrix(reason="test_rehearsal_cloud_run_trouble shows a rehearsed fault once")


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, service_python: Path) -> Iterator[Rehearsed]:
    """A service with one release on live and another version committed."""
    with rehearsed(tmp_path_factory.mktemp("e2e"), service_python, **BEANSTALK) as one:
        one.deploy()
        one.greet("second")
        yield one


def name_of(service: Rehearsed, release: str) -> str:
    [name] = [one for one in environments(service, "live") if one.endswith(release)]
    return name


def test_a_gate_that_fails_on_staging_leaves_live_untouched(service: Rehearsed) -> None:
    live, staging = environments(service, "live"), environments(service, "staging")

    with users(service.url("live")) as answers:
        service.deploy(code=11, fail_at="staging")

    assert answers.failures == []
    assert environments(service, "live") == live
    assert set(environments(service, "staging")) == set(staging), "the release that failed is gone"


def test_a_gate_that_fails_on_live_brings_the_name_back(service: Rehearsed) -> None:
    live = service.traffic("live")
    [old] = live

    with users(service.url("live")) as answers:
        service.deploy(code=13, fail_at="live")

    assert answers.failures == []
    assert [step.name for step in service.last_run().steps][-3:] == ["shift", "live-gate", "return"]
    result = service.last_run().result
    assert result is not None
    assert (result.outcome, result.exit_code) == ("returned", 13)
    assert service.traffic("live") == live
    assert list(environments(service, "live")) == [name_of(service, old)]
    assert holder(service) == old


@pytest.mark.parametrize(
    ("fault", "code", "told"),
    [
        ("crash", 14, "asked to crash by the rehearsal"),
        ("quota", 17, "You cannot have more than 200 Environments."),
        ("swap-fails", 17, "Unable to swap CNAMEs for environments"),
        ("partial", 14, "last state: 'Updating'"),
    ],
)
def test_live_serves_on_and_the_candidate_is_gone(
    service: Rehearsed, fault: str, code: int, told: str
) -> None:
    live = service.traffic("live")
    [old] = live

    with users(service.url("live")) as answers:
        done = service.deploy(code=code, faults=[fault])

    assert told in done.err
    assert answers.failures == []
    assert set(answers.releases) == {old}, "no request ever reached the candidate"
    assert service.traffic("live") == live
    assert list(environments(service, "live")) == [name_of(service, old)]
    assert service.status("live")["costs"].startswith("1 environment, 0 of them idle")


def test_what_is_slow_and_throttled_goes_live(service: Rehearsed) -> None:
    [old] = service.traffic("live")
    service.configure(keep=1)

    with users(service.url("live")) as answers:
        done = service.deploy("--json", faults=["slow-start", "throttle"])

    new = done.json()["release"]
    assert answers.failures == []
    assert service.traffic("live") == {old: 0, new: 100}
    assert service.get("live").json()["says"] == "second"


def test_an_environment_that_somebody_gave_the_live_name_is_not_dropped(service: Rehearsed) -> None:
    old, new = service.traffic("live")
    with by_hand(service) as aws:
        names = ("--source-environment-name", name_of(service, new))
        aws("swap-environment-cnames", *names, "--destination-environment-name", name_of(service, old))
        wait_for(aws, name_of(service, old), "Ready")
    service.configure(keep=0)
    service.greet("third")

    with users(service.url("live")) as answers:
        done = service.deploy(code=23)

    assert answers.failures == []
    assert set(answers.releases) == {old}
    assert f"{name_of(service, old)} holds the live name, whatever Pulumi remembers" in done.err
    assert len(environments(service, "live")) == 2


def test_a_rollback_accepts_that_and_the_next_release_takes_its_place(service: Rehearsed) -> None:
    old, _ = service.traffic("live")

    with users(service.url("live")) as answers:
        service.run("rollback", old)
        assert service.traffic("live") == {old: 100}
        new = service.release()

    assert answers.failures == []
    assert set(answers.releases) == {old, new}
    assert holder(service) == new
    assert list(environments(service, "live")) == [name_of(service, new)]


def test_what_was_terminated_by_hand_is_made_anew(service: Rehearsed) -> None:
    [lost] = service.traffic("live")
    with by_hand(service) as aws:
        name = name_of(service, lost)
        aws("terminate-environment", "--environment-name", name)
        wait_for(aws, name, "Terminated")
    assert service.serving("live") == ""
    service.greet("fourth")

    new = service.release()

    assert service.traffic("live") == {new: 100}
    assert holder(service) == new
    assert service.get("live").json()["says"] == "fourth"
    assert list(environments(service, "live")) == [name_of(service, new)]
