"""The schedules of an environment on a cluster: a CronJob for each, whose Jobs are the runs."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from curtainup.errors import SetupError
from curtainup.model.schedule import schedules_of
from curtainup.platforms.docker.labels import SCHEDULE
from curtainup.platforms.kubernetes import pods
from curtainup.targets.kubernetes import by_hand, cron_runs, permissions
from curtainup.targets.kubernetes.cron_runs import Told
from curtainup.targets.kubernetes.on_cluster import OnCluster
from curtainup.targets.kubernetes.space import BATCH, CORE, Space
from curtainup.targets.runs import RunsSchedules
from curtainup.targets.schedules import in_order

if TYPE_CHECKING:
    from curtainup.model.release import Release
    from curtainup.model.schedule import Schedule
    from curtainup.model.schedule_run import ScheduleRun
    from curtainup.targets.command import Asked


class HasSchedules(OnCluster, RunsSchedules):
    """A target whose releases have schedules."""

    def require_schedules(self) -> None:
        """Check that the deployer may make CronJobs, which an older role does not allow.

        Raises:
            SetupError: they may not, or the cluster does not answer.

        """
        if not self.config.schedule or not self._has_cluster():
            return
        cluster, namespace = self._configured, self._namespace
        wanted = [one for one in permissions.RULES if one.schedules]
        with cluster.said_clearly():
            lacking = permissions.missing(cluster, namespace, wanted)
        if lacking:
            raise SetupError(
                "the deployer may not have the cluster run schedules",
                where=f"namespace {namespace}, {cluster}",
                consequence="nothing was built or changed",
                fix="give the deployer the Role of docs/kubernetes.md anew, or take `schedule` out of "
                "pym-config.yaml",
                detail="\n".join(lacking),
            )

    def schedule_runs(self, release: Release) -> list[ScheduleRun]:
        """Return the runs of a release's schedules, as far as the cluster remembers them.

        Raises:
            SetupError: the cluster does not tell.

        """
        space, now = self._space, datetime.now(UTC)
        with space.cluster.said_clearly():
            told = _told(space, release)
            found = [
                run
                for one in told
                for run in cron_runs.runs(one, now, partial(_trouble, space, one.schedule.name))
            ]
        return in_order(found)

    def run_schedule(self, _release: Release, schedule: Schedule, asked: Asked) -> int:
        """Run a schedule now, as a Job that is made from its CronJob."""
        grace, adds_nodes = self.config.stop_timeout, self.node_seconds() > 0
        where = by_hand.Where(self._space, self._session.run, grace, adds_nodes)
        return by_hand.run(where, schedule, asked)


def _told(space: Space, release: Release) -> list[Told]:
    selector = ",".join([SCHEDULE, *(f"{key}={value}" for key, value in space.labels.items())])
    made = {
        one["metadata"]["labels"][SCHEDULE]: one
        for one in space.cluster.items(space.path(BATCH, "cronjobs"), labelSelector=selector)
    }
    jobs = space.cluster.items(space.path(BATCH, "jobs"), labelSelector=selector)
    theirs = {
        str(one["metadata"]["labels"].get("job-name")): one
        for one in space.cluster.items(space.path(CORE, "pods"), labelSelector=selector)
    }
    return [
        Told(
            one,
            made.get(one.name),
            [job for job in jobs if job["metadata"]["labels"][SCHEDULE] == one.name],
            theirs,
            space.settings.namespace,
        )
        for one in schedules_of(release.settings)
    ]


def _trouble(space: Space, schedule: str) -> str:
    """Return the newest warning about a schedule's CronJob; empty if there is none any more."""
    name = space.settings.schedule_workload(schedule)
    events = space.cluster.items(
        space.path(CORE, "events"), fieldSelector=f"involvedObject.kind=CronJob,involvedObject.name={name}"
    )
    warnings = pods.newest([one for one in events if one.get("type") == "Warning"])
    return str(warnings[-1].get("message") or "") if warnings else ""
