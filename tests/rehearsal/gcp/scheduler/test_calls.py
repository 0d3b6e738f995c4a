"""Who may have a stand-in Cloud Run job run, and what Cloud Scheduler then tells of it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from curtainup.platforms.google.api import Api, Endpoints, Refused
from curtainup.rehearsal.faults import Faults
from curtainup.rehearsal.front import TOKEN
from curtainup.rehearsal.gcp.account import StandinGoogle
from curtainup.rehearsal.gcp.cloud_run import executions
from curtainup.rehearsal.gcp.common import STATE, enforced_from
from curtainup.rehearsal.gcp.scheduler import calls
from curtainup.rehearsal.gcp.scheduler.job import API, Job
from curtainup.rehearsal.home import Home
from curtainup.rehearsal.kind import Cloud, CloudError

PROJECT, REGION = "demo-project", "europe-west1"
NAME = f"projects/{PROJECT}/locations/{REGION}/jobs/shop-live-cleanup-schedule"
EMAIL = f"shop-live-scheduler@{PROJECT}.iam.gserviceaccount.com"
NOBODY = EMAIL.replace("shop", "nobody")
ROLE = "roles/run.invoker"
TARGET: dict[str, Any] = {
    "httpMethod": "POST",
    "uri": f"https://run.googleapis.com/v2/{NAME}:run",
    "oauthToken": {"serviceAccountEmail": EMAIL},
}
INPUTS: dict[str, Any] = {
    "name": "shop-live-cleanup-schedule",
    "region": REGION,
    "schedule": "0 3 * * *",
    "timeZone": "Etc/UTC",
    "httpTarget": TARGET,
}


@pytest.fixture
def cloud(tmp_path: Path) -> Cloud:
    home = Home(tmp_path)
    with home.cloud(STATE) as state:
        state["projects"] = {
            PROJECT: {
                "apis": [API, "run.googleapis.com"],
                "accounts": {EMAIL: {}},
                "jobs": {f"{REGION}/shop-live-cleanup-schedule": {"template": {}}},
                "policies": {NAME: [[ROLE, f"serviceAccount:{EMAIL}"]]},
            }
        }
    return Cloud(home, Faults(), {"project": PROJECT})


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []

    def begin(cloud: Cloud, job: str, creator: str) -> str:
        executions.names(cloud.home, job)
        found.append((job, creator))
        return job

    monkeypatch.setattr(executions, "begin", begin)
    return found


@contextmanager
def project(cloud: Cloud) -> Iterator[dict[str, Any]]:
    with cloud.home.cloud(STATE) as state:
        yield state["projects"][PROJECT]


def told(cloud: Cloud) -> dict[str, Any]:
    """Return the job as Cloud Scheduler's API tells it."""
    endpoint = StandinGoogle(cloud.home).scheduler_api
    return Api({"Authorization": f"Bearer {TOKEN}"}, Endpoints(scheduler=endpoint)).scheduler_job(NAME)


def test_who_is_granted_it_has_the_job_run(cloud: Cloud, begun: list[tuple[str, str]]) -> None:
    assert Job(cloud).create(INPUTS).id == NAME
    assert calls.make(cloud, NAME) == calls.OK
    assert begun == [(NAME, EMAIL)]
    found = told(cloud)
    assert (found["state"], found["status"]) == ("ENABLED", {})
    assert found["lastAttemptTime"] > found["userUpdateTime"]


def test_a_grant_counts_once_it_is_enforced(cloud: Cloud, begun: list[tuple[str, str]]) -> None:
    Job(cloud).create(INPUTS)
    member = f"serviceAccount:{EMAIL}"
    with project(cloud) as part:
        part["enforced"] = {f"{NAME} {ROLE} {member}": time.time() + 60}
        assert enforced_from(part, NAME, ROLE, member) is not None
    assert calls.make(cloud, NAME) == calls.PERMISSION_DENIED
    assert told(cloud)["status"] == {"code": calls.PERMISSION_DENIED}
    assert begun == []


@pytest.mark.parametrize(
    ("spoilt", "code"),
    [
        ({"policies": {}}, calls.PERMISSION_DENIED),
        ({"policies": {NAME: [["roles/run.viewer", f"serviceAccount:{EMAIL}"]]}}, calls.PERMISSION_DENIED),
        ({"policies": {NAME: [[ROLE, "serviceAccount:other@x"]]}}, calls.PERMISSION_DENIED),
        ({"accounts": {}}, calls.PERMISSION_DENIED),
        ({"jobs": {}}, calls.NOT_FOUND),
    ],
)
def test_who_or_what_is_missing_is_told(
    cloud: Cloud, begun: list[tuple[str, str]], spoilt: dict[str, Any], code: int
) -> None:
    Job(cloud).create(INPUTS)
    with project(cloud) as part:
        part.update(spoilt)
    assert calls.make(cloud, NAME) == code
    assert begun == []


@pytest.mark.parametrize("token", [{}, {"oidcToken": {"serviceAccountEmail": EMAIL}}])
def test_google_takes_no_other_token(
    cloud: Cloud, begun: list[tuple[str, str]], token: dict[str, Any]
) -> None:
    plain = {key: one for key, one in TARGET.items() if key != "oauthToken"}
    Job(cloud).create({**INPUTS, "httpTarget": {**plain, **token}})
    assert calls.make(cloud, NAME) == calls.UNAUTHENTICATED
    assert begun == []


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"schedule": "0 24 * * *"}, "Error 400: Schedule or time zone is invalid."),
        (
            {
                "httpTarget": {
                    **TARGET,
                    "oauthToken": {"serviceAccountEmail": NOBODY},
                }
            },
            r'lacks IAM permission "iam\.serviceAccounts\.actAs"',
        ),
    ],
)
def test_what_is_refused_is_not_made(cloud: Cloud, changed: dict[str, Any], said: str) -> None:
    with pytest.raises(CloudError, match=said):
        Job(cloud).create({**INPUTS, **changed})
    with pytest.raises(Refused, match="Job not found"):
        told(cloud)


def test_a_region_may_have_none(cloud: Cloud) -> None:
    with project(cloud) as part:
        part["withoutScheduler"] = [REGION]
    with pytest.raises(CloudError, match=r'lacks IAM permission "cloudscheduler\.jobs\.create"'):
        Job(cloud).create(INPUTS)
    endpoints = Endpoints(scheduler=StandinGoogle(cloud.home).scheduler_api)
    offered = Api({"Authorization": f"Bearer {TOKEN}"}, endpoints).scheduler_regions(PROJECT)
    assert REGION not in offered
    assert "us-central1" in offered


def test_without_its_api_nothing_answers(cloud: Cloud) -> None:
    with project(cloud) as part:
        part["apis"] = []
    with pytest.raises(CloudError, match="Cloud Scheduler API has not been used in project"):
        Job(cloud).create(INPUTS)
    with pytest.raises(Refused, match="Cloud Scheduler API has not been used in project"):
        told(cloud)


def test_a_name_is_given_once_and_a_change_is_one(cloud: Cloud) -> None:
    made = Job(cloud).create(INPUTS)
    with pytest.raises(CloudError, match=r"Error 409: Job .* already exists"):
        Job(cloud).create(INPUTS)
    outputs = {**INPUTS, **made.outputs}
    before = told(cloud)["userUpdateTime"]
    Job(cloud).update(NAME, outputs, {**INPUTS, "schedule": "0 4 * * *"})
    assert told(cloud)["schedule"] == "0 4 * * *"
    assert told(cloud)["userUpdateTime"] > before
    found = Job(cloud).read(NAME, outputs)
    assert found is not None
    assert found.inputs == {"schedule": "0 4 * * *"}
    Job(cloud).delete(NAME, outputs)
    assert Job(cloud).read(NAME, outputs) is None
