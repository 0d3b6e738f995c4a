"""The runs of a schedule by what a cluster tells: its Jobs, and the times at which it came due without one.

Follows `pkg/controller/cronjob` of Kubernetes. A CronJob notes neither what it missed nor what it skipped. It
keeps its newest Jobs, so that a time without a Job among them is one that it missed or skipped.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from typing import Any

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
from curtainup.model.targets.cron_jobs import KEPT_RUNS, STARTING, WHEN, when
from curtainup.model.targets.kubernetes import CONTAINER
from curtainup.platforms.kubernetes import diagnosis, pods
from curtainup.platforms.kubernetes.pods import Object
from curtainup.targets.kubernetes.tasks import PAST_ITS_TIME
from curtainup.targets.schedules import in_order
from curtainup.util import cron, zones

DUE = "batch.kubernetes.io/cronjob-scheduled-timestamp"
"""The annotation of a Job that says for when it was due; Jobs that somebody made by hand have none."""
BY_HAND = {"cronjob.kubernetes.io/instantiate": "manual"}
"""The annotation of such a Job, as `kubectl create job --from` writes it."""
STARTS = {"ContainerCreating", "PodInitializing"}
"""For what every container waits."""
MARGIN = 60
"""Seconds by which the clock of this machine may differ from the cluster's before a run counts as missed."""
MOST_MISSED = 20
"""Times without a Job that are looked at, the newest ones."""
FIRST_LOOK, LONGEST_LOOK = timedelta(hours=1), timedelta(days=1500)
"""How far back the newest times that a schedule came due are looked for at first, and at most."""


@dataclass(frozen=True)
class Told:
    """What a cluster tells of one schedule.

    Attributes:
        schedule: of the release that works.
        cron_job: the schedule's; None if it is gone.
        jobs: those that are there.
        pods: theirs, by the names of the Jobs.
        namespace: of all of them.

    """

    schedule: Schedule
    cron_job: Object | None
    jobs: Sequence[Object]
    pods: Mapping[str, Object]
    namespace: str


def runs(told: Told, now: datetime, trouble: Callable[[], str] = str) -> list[ScheduleRun]:
    """Return the runs of a schedule and the times at which it did not run, the newest last.

    Args:
        told: by the cluster.
        now: the time, which is aware.
        trouble: asks the cluster why it started none; it returns an empty text if nothing is known.

    """
    made = [_run(told, one) for one in told.jobs]
    absent = _without_run(told, made, now, trouble)
    return in_order([*made, *absent])


def _run(told: Told, job: Object) -> ScheduleRun:
    pod = told.pods.get(pods.name_of(job))
    end = pods.last_end(pod, CONTAINER) if pod is not None else None
    outcome, why = _outcome(told.schedule, job, pod, end)
    return ScheduleRun(
        told.schedule.name,
        due_of(job),
        _started(job, pod),
        None if outcome == RUNNING else _ended(job, end),
        outcome,
        exit_code=_code(outcome, end),
        place=f"Job {pods.name_of(job)} in namespace {told.namespace}",
        why=why,
    )


def due_of(job: Object) -> datetime | None:
    """Return when a Job was due, in UTC; None for one that somebody made by hand."""
    return moment((job["metadata"].get("annotations") or {}).get(DUE))


def moment(text: Any) -> datetime | None:
    """Return a time that the API tells, in UTC; None if it tells none."""
    return datetime.fromisoformat(str(text)).astimezone(UTC) if text else None


def is_over(job: Object) -> bool:
    """Return whether a Job has ended."""
    return pods.has(job, "Complete") or pods.has(job, "Failed")


def _outcome(schedule: Schedule, job: Object, pod: Object | None, end: Object | None) -> tuple[str, str]:
    """Return how a run ended, and why in words."""
    if not is_over(job):
        waits = str(pods.waiting(pod, CONTAINER).get("reason") or "") if pod is not None else ""
        return RUNNING, "" if waits in STARTS else waits
    if pods.has(job, "Complete"):
        return OK, ""
    if (pods.condition(job, "Failed") or {}).get("reason") == PAST_ITS_TIME:
        return FAILED, f"its pod did not start within {STARTING} s"
    return (CUT_OFF, "its pod is gone") if pod is None else _failed(schedule, pod, end)


def _failed(schedule: Schedule, pod: Object, end: Object | None) -> tuple[str, str]:
    """Return how a run whose pod failed has ended, and why."""
    status = pod.get("status") or {}
    if status.get("reason") == PAST_ITS_TIME:
        return TIMED_OUT, f"it took longer than its {schedule.time_limit} s"
    if pods.has(pod, "DisruptionTarget"):
        said = (pods.condition(pod, "DisruptionTarget") or {}).get("message")
        return CUT_OFF, str(said or "its node was emptied")
    if end is not None:
        return FAILED, _why(pod, end)
    return FAILED, str(status.get("message") or status.get("reason") or "its pod failed")


def _why(pod: Object, end: Object) -> str:
    if end.get("reason") == "OOMKilled":
        return f"it used more than its {pods.limit(pod, CONTAINER, 'memory')} of memory"
    if end.get("reason") in diagnosis.NOT_STARTED:
        return str(end.get("message") or "its command cannot be started")
    return f"exit code {end.get('exitCode')}"


def _started(job: Object, pod: Object | None) -> datetime | None:
    """Return when the command of a run started; without its pod, when the cluster took on the Job."""
    if pod is None:
        return moment((job.get("status") or {}).get("startTime"))
    state = pods.container_of(pod, CONTAINER).get("state") or {}
    found = state.get("terminated") or state.get("running") or {}
    return None if found.get("reason") in diagnosis.NOT_STARTED else moment(found.get("startedAt"))


def _ended(job: Object, end: Object | None) -> datetime | None:
    status = job.get("status") or {}
    failed = (pods.condition(job, "Failed") or {}).get("lastTransitionTime")
    return moment((end or {}).get("finishedAt") or status.get("completionTime") or failed)


def _code(outcome: str, end: Object | None) -> int | None:
    if outcome not in {OK, FAILED} or end is None:
        return 0 if outcome == OK else None
    return int(end.get("exitCode") or 0)


def _without_run(
    told: Told, made: Sequence[ScheduleRun], now: datetime, trouble: Callable[[], str]
) -> list[ScheduleRun]:
    """Return the times at which a schedule came due, and for which there is no Job any more or yet."""
    schedule = told.schedule
    late = timedelta(seconds=schedule.start_within + MARGIN)
    until = now - late
    known = {one.due for one in made}
    absent = [one for one in _newest_due(schedule, _since(told, until), until) if one not in known]
    skipped = {one: why for one in absent if (why := _why_skipped(told, one))}
    missed = _why_missed(told, trouble) if len(skipped) < len(absent) else ""
    return [
        ScheduleRun(schedule.name, one, None, one + late, SKIPPED, why=skipped[one])
        if one in skipped
        else ScheduleRun(schedule.name, one, None, one + late, MISSED, why=missed)
        for one in absent
    ]


def _since(told: Told, until: datetime) -> datetime:
    """Return the moment after which each time without a Job is one without a run.

    Before it, the Job may be one that is not kept, or the schedule may have had another line.
    """
    if told.cron_job is None:
        last = _newest_due(told.schedule, until - LONGEST_LOOK, until)[-1:]
        return last[0] - timedelta(seconds=1) if last else until
    created = moment(told.cron_job["metadata"].get("creationTimestamp")) or until
    forgotten = [_oldest_kept(told.jobs, kind) for kind in ("Complete", "Failed")]
    return max(created, *(one for one in forgotten if one), _line_since(told, created))


def _oldest_kept(jobs: Sequence[Object], kind: str) -> datetime | None:
    """Return when the oldest Job began that ended so, if older ones may be gone: those begun before it."""
    begun = [moment((one.get("status") or {}).get("startTime")) for one in jobs if pods.has(one, kind)]
    return min((one for one in begun if one), default=None) if len(begun) >= KEPT_RUNS else None


def _line_since(told: Told, created: datetime) -> datetime:
    """Return since when the schedule has had its line, as far as its Jobs and the CronJob tell."""
    line = when(told.schedule)
    marked = [(due, one["metadata"]["annotations"].get(WHEN)) for one in told.jobs if (due := due_of(one))]
    others = [due for due, found in marked if found != line]
    if marked and not others:
        return created
    later = [due for due, found in marked if found == line and due > max(others)]
    return min(later) if later else _changed(told.cron_job or {}) or created


def _changed(cron_job: Object) -> datetime | None:
    """Return when somebody changed what a CronJob is to be, as the API server notes it."""
    fields = (cron_job.get("metadata") or {}).get("managedFields") or ()
    times = [moment(one.get("time")) for one in fields if one.get("subresource") != "status"]
    return max((one for one in times if one), default=None)


def _newest_due(schedule: Schedule, since: datetime, until: datetime) -> list[datetime]:
    """Return the newest times at which a cluster has a schedule come due: after a moment, and until another.

    A cluster follows the clock, where Debian's cron makes up for its changes. So does a line with seconds.
    """
    line, zone, span = f"0 {schedule.cron}", zones.zone(schedule.timezone), FIRST_LOOK
    while True:
        start = max(since, until - span)
        found = list(takewhile(lambda one: one <= until, cron.due_after(line, zone, start)))
        if len(found) >= MOST_MISSED or start == since:
            return found[-MOST_MISSED:]
        span *= 4


def _why_skipped(told: Told, due: datetime) -> str:
    """Return which run one has given way to, which came due then; empty if it was missed."""
    window = due + timedelta(seconds=told.schedule.start_within)
    for job in told.jobs:
        made, theirs = moment(job["metadata"].get("creationTimestamp")), due_of(job)
        if made is None:
            continue
        if made <= due and told.schedule.overlap == "forbid" and _goes_on(told, job, due):
            return "the run before was still on its way"
        if theirs is not None and theirs > due and made <= window:
            return "it gave way to a later one"
    return ""


def _goes_on(told: Told, job: Object, at: datetime) -> bool:
    """Return whether a run that had begun was still on its way."""
    pod = told.pods.get(pods.name_of(job))
    ended = _ended(job, pods.last_end(pod, CONTAINER) if pod is not None else None)
    return not is_over(job) or ended is None or at < ended


def _why_missed(told: Told, trouble: Callable[[], str]) -> str:
    if told.cron_job is None:
        return "its CronJob is gone, so nobody knows whether it ran; `curtainup deploy` makes it again"
    if (told.cron_job.get("spec") or {}).get("suspend"):
        return "somebody has suspended its CronJob"
    late, said = f"the cluster did not start it within {told.schedule.start_within} s", trouble()
    return f"{late}: {said}" if said else late
