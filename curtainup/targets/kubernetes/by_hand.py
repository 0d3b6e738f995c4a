"""A run of a schedule that somebody asks for: a Job as `kubectl create job --from` makes it.

A CronJob that forbids an overlap starts nothing while a Job that its status names is on its way. Its
controller names those that it has made itself, so this one is written beside them. The controller strikes it
off once it has ended, or is gone (`syncCronJob` in `pkg/controller/cronjob`).
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from curtainup.config.tasks import LONGEST_TASK, Task
from curtainup.errors import Interrupted, SetupError
from curtainup.model.schedule_run import TIMED_OUT
from curtainup.model.targets.kubernetes import CONTAINER
from curtainup.platforms.docker.labels import SCHEDULE
from curtainup.platforms.kubernetes import pods
from curtainup.platforms.kubernetes.cluster import Refused
from curtainup.targets import command, schedules
from curtainup.targets.command import NOT_STARTED, TERMINATED, Asked
from curtainup.targets.kubernetes import cron_runs, jobs, tasks
from curtainup.targets.kubernetes.jobs import Place, Words
from curtainup.targets.kubernetes.space import BATCH, Space
from curtainup.targets.kubernetes.tasks import Execution
from curtainup.util.process import Ended

if TYPE_CHECKING:
    from curtainup.model.schedule import Schedule
    from curtainup.session.run import Run
    from curtainup.targets.task_result import Ran

SPARE = 60
"""Seconds for which a run is waited for beyond its time limit, and the time that its pod may take to stop."""
ATTEMPTS = 10
"""Times that a run is written into the status of its CronJob, which the controller changes too."""
GOES_ON = "a run that has begun goes on; curtainup status shows how it ends"
_CONFLICT = 409


@dataclass(frozen=True)
class Where:
    """Where a run is made.

    Attributes:
        space: the environment's namespace.
        run: the command that asks for it.
        grace: seconds between SIGTERM and SIGKILL.
        adds_nodes: whether the cluster adds nodes for pods that have none.

    """

    space: Space
    run: Run
    grace: int
    adds_nodes: bool


def run(where: Where, schedule: Schedule, asked: Asked) -> int:
    """Run a schedule to its end, and return the exit code of its command.

    Its Job stays, as those of other runs do.

    Raises:
        RefusedError: another run is on its way, and the schedule forbids an overlap.
        SetupError: the CronJob is gone, the cluster refuses the run, cannot start it, or loses it.
        Interrupted: Ctrl-C; a run that has begun goes on.

    """
    means = tasks.Means(asked.cancel, asked.show, where.run.report.warn)
    with command.cancelled_by_signals(asked.cancel):
        ran = _followed(where, schedule, means)
    if ran.ended is Ended.TIMED_OUT:
        asked.say(f"{TIMED_OUT}: it took longer than its {schedule.time_limit} s")
        return TERMINATED
    if ran.code is None:
        raise Interrupted("interrupted while a schedule ran", where=ran.place, consequence=GOES_ON)
    if ran.why:
        asked.say(ran.why)
    return ran.code


def _followed(where: Where, schedule: Schedule, means: tasks.Means) -> Ran:
    space, place = where.space, _place(where, schedule)
    with space.cluster.said_clearly():
        job = _made(space, place, schedule, means)
    longest = min(LONGEST_TASK, schedule.time_limit + where.grace + SPARE)
    task = Task(name=schedule.name, command=schedule.command, timeout=longest)
    return tasks.follow(Execution(space.cluster, place, job, task, means), stays=True)


def _made(space: Space, place: Place, schedule: Schedule, means: tasks.Means) -> str:
    """Make the Job of a run, and return its name."""
    path = space.path(BATCH, "cronjobs", space.settings.schedule_workload(schedule.name))
    cron_job = space.cluster.find(path)
    if cron_job is None:
        raise SetupError(
            f"the CronJob of schedule {schedule.name} is gone",
            where=f"{place.words.source}, {space}",
            consequence=NOT_STARTED,
            fix="curtainup deploy makes it again",
        )
    alone = schedule.overlap == "forbid"
    if alone:
        _require_alone(space, schedule, "")
    name = jobs.make(space.cluster, place, _manifest(cron_job), means.cancel)
    if not alone:
        return name
    try:
        _enter(space, path, name)
        _require_alone(space, schedule, name)
    except BaseException:
        jobs.remove(space.cluster, place, name, means.warn)
        raise
    return name


def _manifest(cron_job: pods.Object) -> dict[str, Any]:
    template, name = cron_job["spec"]["jobTemplate"], pods.name_of(cron_job)
    marks = template.get("metadata") or {}
    owner = {"apiVersion": "batch/v1", "kind": "CronJob", "name": name, "uid": cron_job["metadata"]["uid"]}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": f"{name}-h{secrets.token_hex(4)}",
            "labels": marks.get("labels") or {},
            "annotations": {**cron_runs.BY_HAND, **(marks.get("annotations") or {})},
            "ownerReferences": [{**owner, "controller": True}],
        },
        "spec": template["spec"],
    }


def _require_alone(space: Space, schedule: Schedule, but: str) -> None:
    """Check that no other run of a schedule is on its way.

    Raises:
        RefusedError: one is.

    """
    selector = f"{SCHEDULE}={schedule.name}"
    found = space.cluster.items(space.path(BATCH, "jobs"), labelSelector=selector)
    others = [pods.name_of(one) for one in found if not cron_runs.is_over(one) and pods.name_of(one) != but]
    if others:
        fix = f"wait until it has ended: kubectl get job {others[0]} -n {space.settings.namespace}"
        raise schedules.refused(schedule, f"Job {others[0]}, {space}", fix)


def _enter(space: Space, path: str, job: str) -> None:
    """Have the CronJob know that a run is on its way."""
    made = space.cluster.get(space.path(BATCH, "jobs", job))
    reference = {"apiVersion": "batch/v1", "kind": "Job", "name": job, "uid": made["metadata"]["uid"]}
    reference["namespace"] = space.settings.namespace
    for attempt in range(1, ATTEMPTS + 1):
        known = space.cluster.get(path)
        active = [*((known.get("status") or {}).get("active") or ()), reference]
        version = {"resourceVersion": known["metadata"]["resourceVersion"]}
        try:
            space.cluster.patch(f"{path}/status", {"metadata": version, "status": {"active": active}})
        except Refused as refused:
            if refused.status != _CONFLICT or attempt == ATTEMPTS:
                raise
        else:
            return


def _place(where: Where, schedule: Schedule) -> Place:
    space = where.space
    words = Words(
        kind="schedule",
        what=f"a run of schedule {schedule.name}",
        held="nothing else changes",
        manual="docs/schedules.md",
        again="then run it again",
        source=f"CronJob {space.settings.schedule_workload(schedule.name)}",
    )
    return Place(
        space.settings.namespace,
        "",
        CONTAINER,
        space.labels,
        where.run.id,
        where.grace,
        where.adds_nodes,
        SCHEDULE,
        words,
    )
