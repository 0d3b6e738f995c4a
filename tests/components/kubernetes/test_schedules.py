from __future__ import annotations

from typing import Any

import pytest

from curtainup.model import release as moves
from curtainup.model.release import Deployment, Release
from curtainup.model.schedule import Schedule
from tests.components.kubernetes import api
from tests.components.kubernetes.samples import CRON_JOB, DEPLOYMENT, SERVICE, SETTINGS, release, rendered
from tests.components.program import Registered

CLEANUP = Schedule(
    name="cleanup",
    command=("clean", "$(PORT)"),
    cron="30 2 * * 7",
    timezone="Europe/Stockholm",
    time_limit=900,
    start_within=120,
    stop_timeout=5,
)
SECRETS = {"r0000001": {"DB_PASSWORD": "hunter2"}}


def _release(number: int, *schedules: Schedule, **changed: Any) -> Release:
    return release(number, settings=SETTINGS.model_copy(update={"schedules": schedules, **changed}))


def _only(*schedules: Schedule, **changed: Any) -> Deployment:
    one = _release(1, *schedules, **changed)
    return Deployment(releases=(one,), traffic={one.id: 100})


def _found(deployment: Deployment, **changed: Any) -> dict[str, Registered]:
    return rendered(deployment, None, **changed).of(CRON_JOB)


def _one(*schedules: Schedule, **changed: Any) -> dict[str, Any]:
    return dict(_found(_only(*schedules, **changed))["shop-live.schedule.cleanup"].inputs)


def test_a_schedule_is_a_cron_job_with_all_that_it_says() -> None:
    made = _one(CLEANUP)
    assert made["metadata"]["name"] == "shop-schedule-cleanup"
    spec = made["spec"]
    assert (spec["schedule"], spec["timeZone"]) == ("30 2 * * 0", "Europe/Stockholm")
    assert (spec["concurrencyPolicy"], spec["startingDeadlineSeconds"]) == ("Forbid", 120)
    assert "suspend" not in spec, "whoever suspends it lifts that"
    assert api.unknown(made) == []


def test_two_runs_may_overlap_where_the_schedule_allows_it() -> None:
    assert _one(CLEANUP.model_copy(update={"overlap": "allow"}))["spec"]["concurrencyPolicy"] == "Allow"


def test_a_run_is_made_as_the_pods_of_its_release_are_and_never_tried_again() -> None:
    job = _one(CLEANUP, run_as_user=10001, read_only=True, cpus=0.5)["spec"]["jobTemplate"]
    assert job["spec"]["backoffLimit"] == 0
    pod = job["spec"]["template"]["spec"]
    [container] = pod["containers"]
    assert pod["restartPolicy"] == "Never"
    assert pod["activeDeadlineSeconds"] == 900, "the pod ends by itself, and its log stays"
    assert job["spec"]["activeDeadlineSeconds"] > 900, "one whose pod never starts ends too"
    assert pod["terminationGracePeriodSeconds"] == SETTINGS.stop_timeout
    assert pod["shareProcessNamespace"] is True, "process 1 ignores a signal that it does not handle"
    assert pod["securityContext"]["runAsUser"] == 10001
    assert pod["automountServiceAccountToken"] is False
    assert container["args"] == ["clean", "$$(PORT)"], "the cluster expands nothing in it"
    assert container["resources"]["limits"] == {"cpu": "500m", "memory": "512Mi"}
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert not {"ports", "lifecycle", "livenessProbe", "readinessProbe", "startupProbe"} & set(container)


def test_a_run_gets_the_variables_and_secrets_of_its_release() -> None:
    one = _release(1, CLEANUP).model_copy(update={"secrets_hmac": "a" * 64})
    deployed = Deployment(releases=(one,), traffic={one.id: 100})
    made = rendered(deployed, SECRETS).of(CRON_JOB)["shop-live.schedule.cleanup"]
    [container] = made.inputs["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]
    assert {"PYM_ENV", "VERSION", "DB_PASSWORD"} <= {each["name"] for each in container["env"]}
    assert any("secrets" in each for each in made.dependencies)


def test_its_runs_say_by_which_line_they_came_due() -> None:
    """Whoever looks for missed runs has to know since when the line is the one that it is."""
    annotations = _one(CLEANUP)["spec"]["jobTemplate"]["metadata"]["annotations"]
    assert annotations == {"curtainup.when": "30 2 * * 7 Europe/Stockholm"}


def test_no_service_finds_its_pods() -> None:
    run = rendered(_only(CLEANUP), None)
    [made] = run.of(CRON_JOB).values()
    template = made.inputs["spec"]["jobTemplate"]["spec"]["template"]
    labels = template["metadata"]["labels"]
    assert labels["curtainup.schedule"] == "cleanup"
    for service in run.of(SERVICE).values():
        assert not service.inputs["spec"]["selector"].items() <= labels.items()
    served = run.of(DEPLOYMENT)["shop-live-r0000001"].inputs["spec"]["selector"]["matchLabels"]
    assert not served.items() <= labels.items()


@pytest.mark.parametrize("gateway", ["", "none"])
def test_they_come_after_what_moves_traffic(gateway: str) -> None:
    [one] = _found(_only(CLEANUP), gateway=gateway).values()
    assert ("shop-live-front" if gateway else "shop-live-route") in one.dependencies
    assert not one.protect


def test_another_release_changes_the_same_cron_job() -> None:
    old, new = _release(1, CLEANUP), _release(2, CLEANUP)
    staged = moves.stage(Deployment(releases=(old,), traffic={old.id: 100}), new, 1)
    before, moved = (
        _found(each)["shop-live.schedule.cleanup"].inputs for each in (staged, moves.shift(staged, new.id))
    )
    assert before["metadata"] == moved["metadata"]
    works = [
        one["spec"]["jobTemplate"]["metadata"]["labels"]["curtainup.works-for"] for one in (before, moved)
    ]
    assert works == [old.id, new.id]


def test_a_candidate_has_none() -> None:
    assert _found(Deployment(releases=(_release(1, CLEANUP),))) == {}


@pytest.mark.parametrize("schedule", ["cleanup", "a" * 63])
def test_its_name_leaves_room_for_that_of_a_run(schedule: str) -> None:
    made = _found(_only(CLEANUP.model_copy(update={"name": schedule})))
    [one] = made.values()
    assert len(one.inputs["metadata"]["name"]) <= 52
    assert one.inputs["metadata"]["labels"]["curtainup.schedule"] == schedule


def test_long_names_with_the_same_beginning_stay_apart() -> None:
    many = [CLEANUP.model_copy(update={"name": "a" * 60 + end}) for end in "bc"]
    assert len({one.inputs["metadata"]["name"] for one in _found(_only(*many)).values()}) == 2
