"""Clouds that are slow or busy, tell settings in a form of their own, lose answers, and tell things late.

Each is shown on a first deployment, a second one, a rollback and the removal of everything.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from curtainup.rehearsal.faults import OF
from tests.e2e.amazon import environments
from tests.e2e.load import Answers, users
from tests.e2e.rehearsed import BEANSTALK, CLOUD_RUN, Rehearsed, asked, rehearsed
from tests.e2e.test_rehearsal_cloud_run import cloud_service, version_of

pytestmark = pytest.mark.matrix(
    reason="test_a_fault_strikes_with_the_real_text_and_nothing_is_left_behind shows each fault"
)
FAILING = frozenset({"crash", "quota", "partial", "swap-fails"})
"""Faults that a deployment cannot get past: test_rehearsal_*_trouble.py shows them."""
LIVES = [
    pytest.param(target, fault, id=f"{target['deploy_target']}-{fault}")
    for target in (CLOUD_RUN, BEANSTALK)
    for fault in sorted(OF[target["deploy_target"]] - FAILING)
]
SAID = {
    "lost-answer": "the answer got lost when ",
    "slow-grant": "waiting until the public may call it: HTTP 403",
    "slow-api": "waiting, as it is too early: an API is not enabled, or was enabled only just now",
}
"""What a first deployment tells of a fault that curtainup itself gets past."""
SCHEDULE = {"cleanup": {"command": "true", "cron": "0 3 * * *", "timezone": "Europe/Stockholm"}}


@pytest.mark.parametrize(("target", "fault"), LIVES)
def test_the_whole_life_of_a_service(
    tmp_path: Path, service_python: Path, target: dict[str, Any], fault: str
) -> None:
    everywhere = (fault, f"{fault}@staging")
    keys: dict[str, Any] = {} if target is BEANSTALK else {"schedule": SCHEDULE}
    if fault == "slow-grant":
        keys["gcp_public_grant"] = True
    with rehearsed(tmp_path, service_python, **target, **keys) as one:
        done = one.deploy("--json", faults=everywhere)
        first = done.json()["release"]
        assert SAID.get(fault, "") in done.err
        assert one.traffic("live") == {first: 100}
        assert one.get("live").status_code == 200
        nothing_to_do(one, everywhere)

        one.greet("second")
        with using(one, target) as answers:
            second = one.deploy("--json", faults=everywhere).json()["release"]
        assert answers.failures == []
        assert {name for name, share in one.traffic("live").items() if share} == {second}
        assert one.get("live").json()["says"] == "second"
        nothing_to_do(one, everywhere)
        there(one, target, first, second)

        with using(one, target) as answers:
            one.run("rollback", *asked(everywhere))
        assert answers.failures == []
        assert one.traffic("live").get(first) == 100
        assert one.get("live").json().get("says") != "second"

        one.run("destroy", "--confirm", one.name, *asked(everywhere))
        assert one.left() == []


def using(one: Rehearsed, target: dict[str, Any]) -> AbstractContextManager[Answers]:
    """Let users call live; the answers of Cloud Run name no release, but the service its version."""
    if target is BEANSTALK:
        return users(one.url("live"))
    return users(one.url("live"), "/version", version_of)


def nothing_to_do(one: Rehearsed, faults: Sequence[str]) -> None:
    """Check that another update is empty, also once Pulumi has read what the cloud tells."""
    one.run("preview", code=0)
    for name in ("staging", "live"):
        one.refresh(name, faults)
    one.run("preview", code=0)


def there(one: Rehearsed, target: dict[str, Any], first: str, second: str) -> None:
    """Check that the cloud has what Pulumi knows, and nothing else."""
    if target is BEANSTALK:
        assert [name.rpartition("-")[2] for name in environments(one, "live")] == [second]
        return
    found = cloud_service(one, "live")
    assert found is not None
    assert {name.rpartition("-")[2] for name in found["revisions"]} == {first, second}
