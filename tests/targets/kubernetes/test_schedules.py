from __future__ import annotations

import secrets
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from curtainup.errors import Interrupted, RefusedError, SetupError
from curtainup.model.process import logged_of
from curtainup.model.release import Deployment
from curtainup.model.schedule import Schedule
from curtainup.model.schedule_run import MISSED, OK, RUNNING
from curtainup.platforms.kubernetes import patience
from curtainup.targets.command import Asked
from curtainup.targets.kubernetes import cron_runs, jobs, permissions, tasks
from curtainup.targets.kubernetes.logs import KubernetesLogs
from curtainup.targets.log_lines import Asked as LogAsked
from tests.accounts.api_server import Status
from tests.platforms.kubernetes import shapes
from tests.targets.kubernetes.conftest import FIRST, KEYS, SETTINGS, Live, service

SPACE = "/namespaces/shop-live"
CRON_JOBS, JOBS = f"/apis/batch/v1{SPACE}/cronjobs", f"/apis/batch/v1{SPACE}/jobs"
PODS, EVENTS = f"/api/v1{SPACE}/pods", f"/api/v1{SPACE}/events"
NAME, MADE = "shop-schedule-cleanup", "shop-schedule-cleanup-hx"
CLEANUP = Schedule(
    name="cleanup",
    command=("clean",),
    cron="0 3 * * *",
    timezone="UTC",
    time_limit=600,
    start_within=300,
    stop_timeout=5,
)
RELEASE = FIRST.model_copy(update={"settings": SETTINGS.model_copy(update={"schedules": (CLEANUP,)})})
LABELS = {"curtainup.schedule": "cleanup", "curtainup.works-for": FIRST.id}
TEMPLATE = {
    "metadata": {"labels": LABELS, "annotations": {"curtainup.when": "0 3 * * * UTC"}},
    "spec": {"backoffLimit": 0, "template": {"spec": {"restartPolicy": "Never"}}},
}
CRON_JOB: dict[str, Any] = {
    "metadata": {
        "name": NAME,
        "uid": "c1",
        "resourceVersion": "7",
        "labels": LABELS,
        "creationTimestamp": "2026-11-28T12:00:00Z",
    },
    "spec": {"jobTemplate": TEMPLATE},
    "status": {},
}
DONE = {"conditions": [{"type": "Complete", "status": "True"}]}


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    for module, name in ((tasks, "LOOK"), (tasks, "SETTLING"), (jobs, "LOOK"), (jobs, "ENDING")):
        monkeypatch.setattr(module, name, 0.05)
    monkeypatch.setattr(patience, "PAUSE", 0.01)
    monkeypatch.setattr(secrets, "token_hex", lambda _: "x")


def _job(name: str, status: dict[str, Any], due: str = "") -> dict[str, Any]:
    annotations = {cron_runs.DUE: due} if due else {}
    metadata = {"name": name, "uid": f"uid-{name}", "labels": LABELS, "annotations": annotations}
    return {"metadata": {**metadata, "creationTimestamp": "2026-11-29T03:00:00Z"}, "status": status}


def _pod(job: str, **status: Any) -> dict[str, Any]:
    found = shapes.pod(**status)
    labels = {**LABELS, "job-name": job}
    return {**found, "metadata": {"name": f"{job}-a", "labels": labels}}


def _over(code: int, **status: Any) -> dict[str, Any]:
    return _pod(MADE, phase="Failed", containerStatuses=[shapes.container(shapes.ended(code))], **status)


# What has run


def test_the_runs_of_a_release_s_schedules_are_its_jobs(live: Live) -> None:
    live.api.items(CRON_JOBS, CRON_JOB)
    live.api.items(JOBS, _job("b", {}), _job("a", DONE, "2026-11-29T03:00:00Z"))
    running = {"running": {"startedAt": "2026-11-29T04:00:00Z"}}
    live.api.items(PODS, _pod("b", containerStatuses=[shapes.container(running)]))
    live.api.items(EVENTS)
    found = [one for one in live.target.schedule_runs(RELEASE) if one.outcome != MISSED]
    assert [(one.schedule, one.outcome, one.due is None) for one in found] == [
        ("cleanup", OK, False),
        ("cleanup", RUNNING, True),
    ]
    selector = "curtainup.schedule,curtainup.service=shop,curtainup.environment=live"
    lists = [one for one in live.api.of("GET") if one.path != EVENTS]
    assert [(one.path, one.query) for one in lists] == [
        (path, {"labelSelector": selector}) for path in (CRON_JOBS, JOBS, PODS)
    ]


def test_the_cluster_s_own_words_say_why_one_was_missed(live: Live) -> None:
    created = f"{datetime.now(UTC) - timedelta(days=2):%Y-%m-%dT%H:%M:%SZ}"
    live.api.items(
        CRON_JOBS, {**CRON_JOB, "metadata": {**CRON_JOB["metadata"], "creationTimestamp": created}}
    )
    live.api.items(JOBS)
    live.api.items(PODS)
    quota = shapes.event("FailedCreate", "Error creating job: exceeded quota", NAME)
    live.api.items(EVENTS, {**quota, "reason": "MissSchedule", "type": "Normal", "message": "-"}, quota)
    *_, last = live.target.schedule_runs(RELEASE)
    assert last.outcome == MISSED
    assert last.why.endswith("within 300 s: Error creating job: exceeded quota")


def test_a_schedule_whose_cron_job_is_gone_tells_so(live: Live) -> None:
    live.api.items(CRON_JOBS)
    live.api.items(JOBS)
    live.api.items(PODS)
    [one] = live.target.schedule_runs(RELEASE)
    assert (one.outcome, one.why.partition(",")[0]) == (MISSED, "its CronJob is gone")


def test_a_cluster_that_does_not_tell_is_told(live: Live) -> None:
    live.api.put(CRON_JOBS, Status(500, "InternalError", "etcd is full"))
    with pytest.raises(SetupError, match="the cluster refuses: InternalError"):
        live.target.schedule_runs(RELEASE)


def test_their_lines_name_the_schedule_and_the_run(live: Live) -> None:
    """As `curtainup logs --process scheduler` shows them, on a Docker host too."""
    live.environment = replace(live.environment, deployment=Deployment(releases=(RELEASE,)))
    live.api.items(PODS, _pod(f"{NAME}-29932789"))
    live.api.put(f"{PODS}/{NAME}-29932789-a/log", b"2026-11-29T04:00:01.000000000Z cleaned\n")
    assert "scheduler" in logged_of(RELEASE.settings)
    source = KubernetesLogs(live.world.session, live.environment)
    [line] = source.lines(LogAsked(process="scheduler"))
    assert (line.release, line.process, line.text) == (FIRST.id, "cleanup.a", "cleaned")
    [asked] = [one for one in live.api.of("GET") if one.path == PODS]
    assert asked.query == {"labelSelector": "curtainup.schedule"}


# What has to be there


def test_without_schedules_nothing_is_asked(live: Live) -> None:
    live.target.require_schedules()
    assert live.api.asked == []


@pytest.mark.parametrize("allowed", [True, False])
def test_the_deployer_has_to_be_allowed_to_make_them(tmp_path: Path, live: Live, *, allowed: bool) -> None:
    live.world = service(tmp_path, live.api, f"{KEYS}schedule: {{one: {{command: a, cron: '0 3 * * *'}}}}\n")
    live.api.created[permissions.REVIEWS] = {"status": {"allowed": allowed}}
    if allowed:
        live.target.require_schedules()
    else:
        with pytest.raises(SetupError, match="may not have the cluster run schedules") as caught:
            live.target.require_schedules()
        assert "create cronjobs.batch" in str(caught.value.detail)
        assert caught.value.consequence == "nothing was built or changed"
    asked = [one.body["spec"]["resourceAttributes"] for one in live.api.of("POST")]
    assert {one["resource"] for one in asked} == {"cronjobs"}
    assert {one["namespace"] for one in asked} == {"shop-live"}


# One that somebody asks for


def _runnable(live: Live, *pods: dict[str, Any], others: tuple[dict[str, Any], ...] = ()) -> Live:
    """Let a run be made, with the states of its pod one after the other; the last one stays."""
    live.api.put(f"{CRON_JOBS}/{NAME}", CRON_JOB)
    live.api.put(f"{CRON_JOBS}/{NAME}/status", {})
    live.api.items(JOBS, *others)
    live.api.created[JOBS] = lambda asked: asked.body
    live.api.put(f"{JOBS}/{MADE}", _job(MADE, {}))
    live.api.items(EVENTS)
    left = list(pods)
    live.api.put(PODS, lambda _: {"items": [left.pop(0) if len(left) > 1 else left[0]] if left else []})
    live.api.put(f"{PODS}/{MADE}-a/log", b"2026-11-29T04:00:01.000000000Z cleaned\n")
    return live


def _run(live: Live, schedule: Schedule = CLEANUP, **asked: Any) -> int:
    said: list[str] = []
    return live.target.run_schedule(RELEASE, schedule, Asked(schedule.command, say=said.append, **asked))


RUNS = _pod(MADE, containerStatuses=[shapes.container({"running": {}})])


def test_it_is_made_from_the_cron_job_and_its_output_and_exit_code_are_the_command_s(
    live: Live, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert _run(_runnable(live, RUNS, _over(3))) == 3
    assert capfdbinary.readouterr().out == b"cleaned\n"
    [made] = live.api.of("POST")
    assert made.body["metadata"] == {
        "name": MADE,
        "labels": LABELS,
        "annotations": {"cronjob.kubernetes.io/instantiate": "manual", "curtainup.when": "0 3 * * * UTC"},
        "ownerReferences": [
            {"apiVersion": "batch/v1", "kind": "CronJob", "name": NAME, "uid": "c1", "controller": True}
        ],
    }
    assert made.body["spec"] == TEMPLATE["spec"]
    assert live.api.of("DELETE") == [], "it is a run like others, and stays until newer ones take its place"


def test_the_cron_job_knows_of_it_so_that_nothing_overlaps(live: Live) -> None:
    other = {"name": "before", "uid": "u0"}
    _runnable(live, _over(0)).api.put(f"{CRON_JOBS}/{NAME}", {**CRON_JOB, "status": {"active": [other]}})
    assert _run(live) == 0
    [patch] = live.api.of("PATCH")
    assert patch.path == f"{CRON_JOBS}/{NAME}/status"
    made = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "name": MADE,
        "uid": f"uid-{MADE}",
        "namespace": "shop-live",
    }
    assert patch.body == {"metadata": {"resourceVersion": "7"}, "status": {"active": [other, made]}}


def test_a_controller_that_changes_the_status_too_is_waited_for(live: Live) -> None:
    answers: list[Any] = [Status(409, "Conflict", "the object has been modified"), {}]
    _runnable(live, _over(0)).api.put(f"{CRON_JOBS}/{NAME}/status", lambda _: answers.pop(0))
    assert _run(live) == 0
    assert len(live.api.of("PATCH")) == 2


def test_one_that_may_overlap_is_not_written_down(live: Live) -> None:
    busy = _job("before", {})
    allows = CLEANUP.model_copy(update={"overlap": "allow"})
    assert _run(_runnable(live, _over(0), others=(busy,)), allows) == 0
    assert live.api.of("PATCH") == []


def test_while_another_runs_none_is_started(live: Live) -> None:
    _runnable(live, others=(_job("over", DONE), _job("before", {})))
    with pytest.raises(RefusedError, match="schedule cleanup runs already") as caught:
        _run(live)
    assert str(caught.value.where).startswith("Job before, namespace shop-live")
    assert live.api.of("POST") == []


def test_of_two_that_start_at_once_the_one_that_was_due_goes_on(live: Live) -> None:
    _runnable(live)
    looks: list[list[dict[str, Any]]] = [[], [_job(MADE, {}), _job("due", {})]]
    live.api.put(JOBS, lambda _: {"items": looks.pop(0)})
    with pytest.raises(RefusedError, match="runs already"):
        _run(live)
    [gone] = live.api.of("DELETE")
    assert gone.path == f"{JOBS}/{MADE}"


def test_without_its_cron_job_nothing_runs(live: Live) -> None:
    with pytest.raises(SetupError, match="the CronJob of schedule cleanup is gone") as caught:
        _run(live)
    assert caught.value.fix == "curtainup deploy makes it again"


def test_one_that_takes_too_long_is_ended_by_the_cluster(live: Live) -> None:
    said: list[str] = []
    asked = Asked(CLEANUP.command, say=said.append)
    _runnable(live, RUNS, _over(137, reason="DeadlineExceeded"))
    assert live.target.run_schedule(RELEASE, CLEANUP, asked) == 143, "as on a Docker host"
    assert said == ["timed out: it took longer than its 600 s"]
    assert live.api.of("DELETE") == []


def test_one_that_cannot_begin_is_removed(live: Live) -> None:
    waiting = shapes.waiting("ErrImagePull", "manifest unknown: not found")
    image = {**waiting, "metadata": _over(0)["metadata"]}
    with pytest.raises(SetupError, match="a run of schedule cleanup could not be run: the cluster") as caught:
        _run(_runnable(live, image))
    assert str(caught.value.where).startswith("CronJob shop-schedule-cleanup in namespace shop-live")
    assert len(live.api.of("DELETE")) == 1


@pytest.mark.parametrize(("pod", "removed"), [(RUNS, 0), (shapes.waiting("ContainerCreating"), 1)])
def test_a_run_that_has_begun_goes_on_after_ctrl_c(live: Live, pod: dict[str, Any], removed: int) -> None:
    asked = Asked(CLEANUP.command, say=lambda _: None)
    asked.cancel.set()
    with pytest.raises(Interrupted) as caught:
        _runnable(live, pod).target.run_schedule(RELEASE, CLEANUP, asked)
    assert "a run that has begun goes on" in str(caught.value.consequence)
    assert [one.path for one in live.api.of("DELETE")] == [f"{JOBS}/{MADE}"] * removed


def test_a_cluster_that_does_not_allow_it_is_told_and_nothing_stays(live: Live) -> None:
    said = 'cronjobs.batch is forbidden: User "ann" cannot patch resource "cronjobs/status"'
    _runnable(live).api.put(f"{CRON_JOBS}/{NAME}/status", Status(403, "Forbidden", said))
    with pytest.raises(SetupError, match="does not allow what a deployment needs"):
        _run(live)
    assert [one.path for one in live.api.of("DELETE")] == [f"{JOBS}/{MADE}"]
