"""What the program declares for schedules on Cloud Run, read with Google's own message types."""

from __future__ import annotations

from typing import Any

import pytest
from google.cloud import run_v2
from google.protobuf.json_format import ParseDict

from components.cloud_run.schedules import caller_id
from curtainup.model.release import Deployment
from curtainup.rehearsal import schema
from curtainup.rehearsal.gcp.scheduler import rules
from tests.components.cloud_run import api
from tests.components.cloud_run.samples import (
    ACCOUNT,
    API,
    CLEANUP,
    SERVICE,
    SETTINGS,
    deployment,
    one,
    plain,
    release,
    rendered,
    scheduled,
)
from tests.components.program import Run

JOB = "gcp:cloudrunv2/job:Job"
GRANT = "gcp:cloudrunv2/jobIamMember:JobIamMember"
CALL = "gcp:cloudscheduler/job:Job"
COMPONENT = "curtainup:cloud_run:Schedules"
SECRETS = {"r0000001": {"KEY": "hidden"}, "r0000002": {"KEY": "hidden2"}}
REPORT = CLEANUP.model_copy(update={"name": "report", "timezone": "UTC", "cron": "*/20 * * * MON-FRI"})


def _job(inputs: dict[str, Any]) -> run_v2.Job:
    names = {"location", "project", "name", "deletionProtection"}
    body = api.spelled({key: value for key, value in inputs.items() if key not in names})
    parsed = run_v2.Job()
    ParseDict(body, run_v2.Job.pb(parsed), ignore_unknown_fields=False)
    return parsed


def _schedules(run: Run) -> dict[str, Any]:
    (outputs,) = (found for name, found in run.outputs.items() if name.endswith(".schedules"))
    return outputs


def test_without_schedules_nothing_is_declared_and_nothing_enabled() -> None:
    before = rendered(deployment(90, 10), SECRETS)
    for kind in (JOB, GRANT, CALL, COMPONENT):
        assert before.of(kind) == {}
    assert len(before.of(ACCOUNT)) == 1
    assert not any("scheduler" in made.inputs["service"] for made in before.of(API).values())
    assert not {"schedules", "scheduler"} & set(before.outputs["shop-live"])


def test_a_schedule_is_a_job_and_what_calls_it() -> None:
    run = rendered(scheduled(100), SECRETS, schedules=True)
    job, call, grant = run.one(JOB), run.one(CALL), run.one(GRANT)
    task = _job(job.inputs).template.template

    assert job.inputs["name"] == call.inputs["name"] == "shop-live-cleanup-schedule"
    assert list(task.containers[0].args) == ["python", "-m", "app.cleanup"]
    assert not task.containers[0].command, "the image's ENTRYPOINT stays"
    assert (task.timeout.seconds, task.max_retries) == (600, 0)
    email = "shop-live-scheduler@team-1.iam.gserviceaccount.com"
    assert grant.inputs == {
        "name": "shop-live-cleanup-schedule",
        "location": "europe-west1",
        "role": "roles/run.invoker",
        "member": f"serviceAccount:{email}",
    }
    assert plain(call.inputs) == {
        "name": "shop-live-cleanup-schedule",
        "region": "europe-west1",
        "description": "Runs cleanup of shop-live",
        "schedule": "0 3 * * *",
        "timeZone": "Europe/Stockholm",
        "attemptDeadline": "180s",
        "retryConfig": {
            "retryCount": 0,
            "maxRetryDuration": "0s",
            "minBackoffDuration": "5s",
            "maxBackoffDuration": "3600s",
            "maxDoublings": 5,
        },
        "httpTarget": {
            "httpMethod": "POST",
            "uri": f"https://run.googleapis.com/v2/{_schedules(run)['schedules']['cleanup']}:run",
            "oauthToken": {
                "serviceAccountEmail": email,
                "scope": "https://www.googleapis.com/auth/cloud-platform",
            },
        },
    }


def test_a_run_has_what_its_release_has() -> None:
    run = rendered(scheduled(100), SECRETS, schedules=True)
    task = _job(run.one(JOB).inputs).template.template
    service = api.service(run.one(SERVICE).inputs, "team-1").template

    assert task.containers[0].image == service.containers[0].image
    assert list(task.containers[0].env) == list(service.containers[0].env)
    assert task.service_account == service.service_account
    assert "hidden" not in str(run.of(JOB))


def test_it_starts_after_users_are_led_to_the_release_and_may_be_called_before_it_is() -> None:
    run = rendered(scheduled(100), SECRETS, schedules=True)
    assert "shop-live-service" in run.one(JOB).dependencies
    assert run.one(GRANT).name in run.one(CALL).dependencies


@pytest.mark.parametrize(
    ("traffic", "working", "image"), [((0,), None, None), ((100, 0), None, 1), ((90, 10), "r0000001", 1)]
)
def test_a_candidate_s_never_run(traffic: tuple[int, ...], working: str | None, image: int | None) -> None:
    found = rendered(scheduled(*traffic, working=working), SECRETS, schedules=True)
    images = [_job(made.inputs).template.template.containers[0].image for made in found.of(JOB).values()]
    assert images == ([release(image).image] if image else [])
    assert len(found.of(ACCOUNT)) == 2, "what calls is there from the start"


def test_they_keep_their_names_from_release_to_release() -> None:
    before = rendered(scheduled(100, 0), SECRETS, schedules=True)
    after = rendered(scheduled(0, 100), SECRETS, schedules=True)
    assert before.of(CALL).keys() == after.of(CALL).keys()
    assert before.one(CALL).inputs == after.one(CALL).inputs, "nothing changes there"
    assert before.one(JOB).inputs["name"] == after.one(JOB).inputs["name"]
    assert before.one(JOB).inputs["template"] != after.one(JOB).inputs["template"]


def test_two_are_apart_and_utc_has_the_name_that_cloud_scheduler_gives_it() -> None:
    run = rendered(scheduled(100, schedules=(CLEANUP, REPORT)), SECRETS, schedules=True)
    zones = {made.inputs["name"]: made.inputs["timeZone"] for made in run.of(CALL).values()}
    assert zones == {
        "shop-live-cleanup-schedule": "Europe/Stockholm",
        "shop-live-report-schedule": "Etc/UTC",
    }
    assert len(run.of(ACCOUNT)) == 2
    assert set(_schedules(run)["schedules"]) == {"cleanup", "report"}


def test_the_api_is_enabled_where_a_release_could_come_back_that_has_one() -> None:
    """Until the last such release is gone, what calls must be there."""
    old = release(1, settings=SETTINGS.model_copy(update={"schedules": (CLEANUP,)}))
    mixed = Deployment(releases=(old, release(2)), traffic={old.id: 0, release(2).id: 100})
    run = rendered(mixed, SECRETS)
    assert "cloudscheduler.googleapis.com" in {made.inputs["service"] for made in run.of(API).values()}
    assert len(run.of(ACCOUNT)) == 2
    assert run.of(CALL) == {}


def test_before_the_first_release_there_is_what_takes_time() -> None:
    run = rendered(Deployment(), schedules=True)
    assert "cloudscheduler.googleapis.com" in {made.inputs["service"] for made in run.of(API).values()}
    assert run.outputs["shop-live"]["scheduler"] == "shop-live-scheduler@team-1.iam.gserviceaccount.com"
    assert run.of(JOB) == {}


def test_the_longest_names_fit() -> None:
    long = CLEANUP.model_copy(update={"name": "c" * 20})
    run = rendered(scheduled(100, schedules=(long,)), service="s" * 29, name="review-1", schedules=True)
    assert len(run.one(JOB).inputs["name"]) <= 63
    ids = [made.inputs["accountId"] for made in run.of(ACCOUNT).values()]
    assert len(set(ids)) == 2
    assert all(6 <= len(found) <= 30 for found in ids)
    assert caller_id("shop-live") == "shop-live-scheduler"


def test_it_is_what_the_providers_own_types_allow_and_cloud_scheduler_takes() -> None:
    run = rendered(scheduled(100), SECRETS, schedules=True)
    for kind in (JOB, GRANT, CALL):
        assert schema.failures(kind, plain(run.one(kind).inputs)) == []
    assert rules.complaints(plain(run.one(CALL).inputs)) == []
    assert rules.refusal(plain(run.one(CALL).inputs)) is None


def test_a_schedule_is_in_no_revision() -> None:
    """Or else an older release could not be rendered again under its name."""
    with_one = rendered(scheduled(100), SECRETS, schedules=True).one(SERVICE).inputs["template"]
    assert with_one == rendered(one(), SECRETS).one(SERVICE).inputs["template"]
