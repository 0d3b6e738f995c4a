from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from curtainup.model.schedule import Schedule
from curtainup.model.schedule_run import (
    CUT_OFF,
    FAILED,
    MISSED,
    OK,
    RUNNING,
    SKIPPED,
    TIMED_OUT,
    ScheduleRun,
)
from curtainup.model.targets.cron_jobs import KEPT_RUNS, WHEN, when
from curtainup.targets.kubernetes import cron_runs
from curtainup.targets.kubernetes.cron_runs import Told
from tests.platforms.kubernetes import shapes

HOURLY = Schedule(
    name="cleanup",
    command=("clean",),
    cron="0 * * * *",
    timezone="Europe/Stockholm",
    time_limit=600,
    start_within=300,
    stop_timeout=10,
)
NOON = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)
NOW = NOON + timedelta(minutes=30)
LATER = timedelta(seconds=1)


def hours(count: float) -> timedelta:
    return timedelta(hours=count)


def _text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def cron_job(created: datetime, **changed: Any) -> dict[str, Any]:
    metadata = {"name": "shop-schedule-cleanup", "creationTimestamp": _text(created)}
    return {"metadata": {**metadata, **changed.pop("metadata", {})}, "spec": {}, **changed}


def job(
    due: datetime | None,
    kind: str = "Complete",
    *,
    line: str = when(HOURLY),
    made: datetime | None = None,
    ended: datetime | None = None,
    reason: str = "",
) -> dict[str, Any]:
    """A Job; `kind` is the condition with which it ended, and empty while it runs."""
    begun = made or due or NOON
    over = _text(ended or begun + timedelta(minutes=1))
    annotations = {WHEN: line}
    if due is not None:
        annotations[cron_runs.DUE] = due.isoformat()
    condition = {"type": kind, "status": "True", "reason": reason, "lastTransitionTime": over}
    status: dict[str, Any] = {"startTime": _text(begun + LATER)}
    if kind:
        status["conditions"] = [condition]
    if kind == "Complete":
        status["completionTime"] = over
    name = f"shop-schedule-cleanup-{begun:%H%M}{'' if due else 'h'}"
    metadata = {"name": name, "creationTimestamp": _text(begun), "annotations": annotations}
    return {"metadata": metadata, "status": status}


def told(
    made: dict[str, Any] | None,
    jobs: Sequence[dict[str, Any]] = (),
    pods: Sequence[dict[str, Any]] = (),
    schedule: Schedule = HOURLY,
) -> Told:
    named = {one["metadata"]["name"]: pod for one, pod in zip(jobs, pods, strict=False)}
    return Told(schedule, made, jobs, named, "shop-live")


def runs(found: Told, now: datetime = NOW) -> list[tuple[datetime | None, str]]:
    return [(one.due, one.outcome) for one in cron_runs.runs(found, now)]


def only(job: dict[str, Any], *pods: dict[str, Any]) -> ScheduleRun:
    [one] = cron_runs.runs(told(cron_job(NOW), [job], pods), NOW)
    return one


def pod(state: dict[str, Any] | None = None, **status: Any) -> dict[str, Any]:
    if state is not None:
        status["containerStatuses"] = [shapes.container(state)]
    return shapes.pod(**status)


def ended(code: int, reason: str = "Error", message: str = "") -> dict[str, Any]:
    state = shapes.ended(code, reason, message)["terminated"]
    return {
        "terminated": {**state, "startedAt": "2026-11-29T12:00:03Z", "finishedAt": "2026-11-29T12:00:07Z"}
    }


def test_a_run_that_went_well() -> None:
    one = only(job(NOON), pod(ended(0, "Completed"), phase="Succeeded"))
    assert (one.schedule, one.due, one.outcome, one.exit_code, one.why) == ("cleanup", NOON, OK, 0, "")
    assert (one.started, one.ended) == (NOON + timedelta(seconds=3), NOON + timedelta(seconds=7))
    assert one.place == "Job shop-schedule-cleanup-1200 in namespace shop-live"


def test_one_whose_pod_is_gone_by_now() -> None:
    one = only(job(NOON))
    assert (one.outcome, one.exit_code, one.started) == (OK, 0, NOON + LATER)
    assert one.ended == NOON + timedelta(minutes=1)


def test_one_that_somebody_asked_for_was_never_due() -> None:
    one = only(job(None), pod(ended(0, "Completed")))
    assert (one.due, one.outcome, one.at) == (None, OK, NOON + timedelta(seconds=3))


@pytest.mark.parametrize(
    ("seen", "outcome", "code", "why"),
    [
        (pod(ended(3)), FAILED, 3, "exit code 3"),
        (pod(ended(137, "OOMKilled")), FAILED, 137, "it used more than its 128Mi of memory"),
        (pod(ended(128, "StartError", "no such file")), FAILED, 128, "no such file"),
        (pod(ended(143), reason="DeadlineExceeded"), TIMED_OUT, None, "it took longer than its 600 s"),
        (
            pod(
                ended(143), conditions=[{"type": "DisruptionTarget", "status": "True", "message": "drained"}]
            ),
            CUT_OFF,
            None,
            "drained",
        ),
        (pod(reason="Evicted", message="low on disk", containerStatuses=[]), FAILED, None, "low on disk"),
        (None, CUT_OFF, None, "its pod is gone"),
    ],
)
def test_one_that_failed(seen: dict[str, Any] | None, outcome: str, code: int | None, why: str) -> None:
    one = only(job(NOON, "Failed", reason="BackoffLimitExceeded"), *([seen] if seen else []))
    assert (one.outcome, one.exit_code, one.why) == (outcome, code, why)


def test_one_whose_command_could_not_be_started_never_started() -> None:
    """The cluster says 1970 for it."""
    state = shapes.ended(128, "StartError", "no such file")["terminated"]
    one = only(job(NOON, "Failed"), pod({"terminated": {**state, "startedAt": "1970-01-01T00:00:00Z"}}))
    assert (one.outcome, one.started, one.why) == (FAILED, None, "no such file")


def test_one_whose_pod_never_started() -> None:
    one = only(job(NOON, "Failed", reason="DeadlineExceeded"))
    assert (one.outcome, one.why) == (FAILED, "its pod did not start within 300 s")


def test_one_that_runs() -> None:
    one = only(job(NOON, ""), pod({"running": {"startedAt": "2026-11-29T12:00:04Z"}}))
    assert (one.outcome, one.started, one.ended, one.exit_code) == (
        RUNNING,
        NOON + timedelta(seconds=4),
        None,
        None,
    )


@pytest.mark.parametrize(
    ("reason", "why"), [("ImagePullBackOff", "ImagePullBackOff"), ("ContainerCreating", "")]
)
def test_one_that_waits_for_its_image_says_so(reason: str, why: str) -> None:
    one = only(job(NOON, ""), pod({"waiting": {"reason": reason}}))
    assert (one.outcome, one.started, one.why) == (RUNNING, None, why)


def test_a_time_without_a_job_was_missed() -> None:
    """The hour before last has a Job, the last one has none."""
    found = told(cron_job(NOON - hours(2) - LATER), [job(NOON - hours(2)), job(NOON - hours(1))])
    assert runs(found) == [(NOON - hours(2), OK), (NOON - hours(1), OK), (NOON, MISSED)]


def test_it_may_start_late_until_its_time_is_over() -> None:
    found = told(cron_job(NOON - LATER))
    late = timedelta(seconds=HOURLY.start_within + cron_runs.MARGIN)
    assert runs(found, NOON + late - LATER) == []
    assert runs(found, NOON + late) == [(NOON, MISSED)]
    missed, *_ = cron_runs.runs(found, NOON + late + hours(1))
    assert (missed.started, missed.ended) == (None, NOON + late), "since then it is known"


def test_nothing_was_missed_before_the_cron_job_was_there() -> None:
    assert runs(told(cron_job(NOON - hours(1)))) == [(NOON, MISSED)]


@pytest.mark.parametrize("kind", ["Complete", "Failed"])
def test_where_older_jobs_may_be_gone_nothing_counts_as_missed(kind: str) -> None:
    jobs = [job(NOON - hours(2 * one), kind) for one in range(KEPT_RUNS)]
    found = [due for due, outcome in runs(told(cron_job(NOON - hours(99)), jobs)) if outcome == MISSED]
    assert found == [NOON - hours(2 * one + 1) for one in reversed(range(KEPT_RUNS - 1))]


def test_runs_that_somebody_asked_for_take_the_place_of_others() -> None:
    """The cluster keeps ten in all, so that the Jobs of the hours before are gone."""
    jobs = [job(None, made=NOON + timedelta(minutes=number)) for number in range(KEPT_RUNS)]
    assert MISSED not in {outcome for _, outcome in runs(told(cron_job(NOON - hours(9)), jobs))}


def test_with_few_jobs_all_of_them_are_there() -> None:
    found = told(cron_job(NOON - hours(3) - LATER), [job(NOON)])
    missed = [due for due, outcome in runs(found) if outcome == MISSED]
    assert missed == [NOON - hours(3), NOON - hours(2), NOON - hours(1)]


def test_what_another_line_had_come_due_is_not_missed() -> None:
    """The schedule ran every two hours until 10:00, and since 12:00 every hour."""
    other = "0 */2 * * * Europe/Stockholm"
    jobs = [job(NOON - hours(4), line=other), job(NOON - hours(2), line=other), job(NOON)]
    made = cron_job(NOON - hours(99))
    assert MISSED not in {outcome for _, outcome in runs(told(made, jobs))}
    assert (NOON + hours(1), MISSED) in runs(told(made, jobs), NOW + hours(1))


def test_a_line_that_has_never_run_counts_from_the_last_change_on() -> None:
    fields = [
        {"time": _text(NOON - hours(1) - LATER)},
        {"time": _text(NOON - hours(5))},
        {"time": _text(NOW), "subresource": "status"},
    ]
    made = cron_job(NOON - hours(99), metadata={"managedFields": fields})
    assert runs(told(made)) == [(NOON - hours(1), MISSED), (NOON, MISSED)]
    old = job(NOON - hours(8), line="0 8 * * * UTC")
    assert runs(told(made, [old]))[1:] == [(NOON - hours(1), MISSED), (NOON, MISSED)]


def test_one_that_came_due_while_another_was_on_its_way_was_skipped() -> None:
    long = job(NOON - hours(2), ended=NOON + timedelta(minutes=1))
    found = told(cron_job(NOON - hours(2) - LATER), [long])
    assert runs(found) == [(NOON - hours(2), OK), (NOON - hours(1), SKIPPED), (NOON, SKIPPED)]
    [skipped, *_] = [one for one in cron_runs.runs(found, NOW) if one.outcome == SKIPPED]
    assert skipped.why == "the run before was still on its way"
    going_on = told(cron_job(NOON - hours(1) - LATER), [job(NOON - hours(1), "")])
    assert runs(going_on) == [(NOON - hours(1), RUNNING), (NOON, SKIPPED)]


def test_of_several_that_are_late_the_newest_runs_and_the_others_give_way() -> None:
    """The controller was away from 11:57 to 12:02."""
    often = HOURLY.model_copy(update={"cron": "* * * * *"})
    minute = timedelta(minutes=1)
    jobs = [job(NOON - 4 * minute), job(NOON + 2 * minute, made=NOON + 2 * minute + 5 * LATER)]
    found = told(cron_job(NOON - 4 * minute - LATER), jobs, schedule=often)
    late = cron_runs.runs(found, NOON + 8 * minute)
    assert [(one.due, one.outcome) for one in late][:6] == [
        (NOON - 4 * minute, OK),
        (NOON - 3 * minute, MISSED),
        (NOON - 2 * minute, SKIPPED),
        (NOON - 1 * minute, SKIPPED),
        (NOON, SKIPPED),
        (NOON + 1 * minute, SKIPPED),
    ]
    assert {one.why for one in late if one.outcome == SKIPPED} == {"it gave way to a later one"}


def test_where_runs_may_overlap_none_is_skipped() -> None:
    schedule = HOURLY.model_copy(update={"overlap": "allow"})
    long = job(NOON - hours(1), "")
    found = told(cron_job(NOON - hours(1) - LATER), [long], schedule=schedule)
    assert runs(found) == [(NOON - hours(1), RUNNING), (NOON, MISSED)]


def test_a_cluster_follows_the_clock() -> None:
    """02:30 is not there on 29 March, and comes twice on 25 October: Debian's cron runs it once on both."""
    nightly = HOURLY.model_copy(update={"cron": "30 2 * * *"})

    def missed(since: datetime, until: datetime) -> list[str]:
        found = cron_runs.runs(told(cron_job(since), schedule=nightly), until)
        return [_text(one.due) for one in found if one.due]

    march = missed(datetime(2026, 3, 28, tzinfo=UTC), datetime(2026, 3, 30, 12, tzinfo=UTC))
    assert march == ["2026-03-28T01:30:00Z", "2026-03-30T00:30:00Z"]
    october = missed(datetime(2026, 10, 24, 12, tzinfo=UTC), datetime(2026, 10, 25, 12, tzinfo=UTC))
    assert october == ["2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"]


def test_only_the_newest_times_are_looked_at() -> None:
    every_minute = HOURLY.model_copy(update={"cron": "* * * * *"})
    found = runs(told(cron_job(NOON - hours(9999)), schedule=every_minute))
    assert len(found) == cron_runs.MOST_MISSED
    assert found[-1][0] == NOW - timedelta(minutes=6)


def test_one_that_comes_due_once_in_years_is_found() -> None:
    leap = HOURLY.model_copy(update={"cron": "0 0 29 2 *", "timezone": "UTC"})
    assert runs(told(cron_job(NOON - hours(24 * 1500)), schedule=leap)) == [
        (datetime(2024, 2, 29, tzinfo=UTC), MISSED)
    ]


@pytest.mark.parametrize(
    ("made", "said", "why"),
    [
        (cron_job(NOON - LATER), "", "the cluster did not start it within 300 s"),
        (
            cron_job(NOON - LATER),
            "exceeded quota",
            "the cluster did not start it within 300 s: exceeded quota",
        ),
        (cron_job(NOON - LATER, spec={"suspend": True}), "", "somebody has suspended its CronJob"),
        (None, "", "its CronJob is gone, so nobody knows whether it ran; `curtainup deploy` makes it again"),
    ],
)
def test_why_it_was_missed(made: dict[str, Any] | None, said: str, why: str) -> None:
    [one] = cron_runs.runs(told(made), NOW, lambda: said)
    assert (one.due, one.outcome, one.why) == (NOON, MISSED, why)


def test_nobody_is_asked_where_nothing_was_missed() -> None:
    assert cron_runs.runs(told(cron_job(NOW)), NOW, pytest.fail) == []
