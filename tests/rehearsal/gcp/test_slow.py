"""What takes minutes on Google Cloud, by a clock that is set forward."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from curtainup.rehearsal.clock import MINUTE, Clock
from curtainup.rehearsal.faults import Faults
from curtainup.rehearsal.gcp.common import STATE, enforced_from
from curtainup.rehearsal.gcp.project import Service
from curtainup.rehearsal.gcp.secret_manager import Secret, SecretIamMember, may_read
from curtainup.rehearsal.home import Home
from curtainup.rehearsal.kind import Cloud, CloudError

PROJECT = "demo-project"
ACCOUNT = "reader@example.com"
SECRETS = "secretmanager.googleapis.com"
REPLICATION: dict[str, dict[str, str]] = {"auto": {}}


@dataclass
class Time:
    """A clock that stands still until somebody sets it."""

    seconds: float = 1_000_000.0

    def __call__(self) -> float:
        return self.seconds

    def pass_minutes(self, minutes: float) -> None:
        self.seconds += minutes * MINUTE


@pytest.fixture
def time() -> Time:
    return Time()


def cloud(folder: Path, time: Time, *faults: str) -> Cloud:
    return Cloud(Home(folder), Faults.parse(faults, Clock(time)), {"project": PROJECT})


def readable(made: Cloud) -> bool:
    with made.home.cloud(STATE) as state:
        part = state["projects"][PROJECT]
        return may_read(part, PROJECT, "shop-live-KEY", ACCOUNT, made.faults.clock.now())


@pytest.mark.parametrize(("faults", "minutes"), [((), 2), (("slow-grant",), 7), (("slow-grant@staging",), 2)])
def test_a_grant_is_enforced_after_minutes(
    tmp_path: Path, time: Time, faults: tuple[str, ...], minutes: int
) -> None:
    made = cloud(tmp_path, time, *faults)
    Service(made).create({"service": SECRETS})
    Secret(made).create({"secretId": "shop-live-KEY", "replication": REPLICATION})
    role = {"secretId": "shop-live-KEY", "role": "roles/secretmanager.secretAccessor"}
    SecretIamMember(made).create({**role, "member": f"serviceAccount:{ACCOUNT}"})

    time.pass_minutes(minutes - 0.1)
    assert not readable(made)
    time.pass_minutes(0.1)
    assert readable(made)


def test_a_grant_that_was_made_again_is_not_enforced_later(tmp_path: Path, time: Time) -> None:
    made = cloud(tmp_path, time, "slow-grant")
    Service(made).create({"service": SECRETS})
    Secret(made).create({"secretId": "shop-live-KEY", "replication": REPLICATION})
    grant = {"secretId": "shop-live-KEY", "role": "roles/owner", "member": f"serviceAccount:{ACCOUNT}"}
    SecretIamMember(made).create(grant)
    time.pass_minutes(6)
    SecretIamMember(made).create(grant)
    with made.home.cloud(STATE) as state:
        known = f"projects/{PROJECT}/secrets/shop-live-KEY", "roles/owner", f"serviceAccount:{ACCOUNT}"
        assert enforced_from(state["projects"][PROJECT], *known) == time() + MINUTE


def test_an_api_that_was_just_enabled_refuses_for_minutes(tmp_path: Path, time: Time) -> None:
    made = cloud(tmp_path, time, "slow-api")
    Service(made).create({"service": SECRETS})
    wanted = {"secretId": "shop-live-KEY", "replication": REPLICATION}

    time.pass_minutes(4.9)
    with pytest.raises(CloudError, match="If you enabled this API recently"):
        Secret(made).create(wanted)
    time.pass_minutes(0.1)
    Secret(made).create(wanted)
