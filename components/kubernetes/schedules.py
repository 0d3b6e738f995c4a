"""The schedules of the release that works, on a cluster: a CronJob for each, the same for all releases."""

from __future__ import annotations

from typing import Any

from components.kubernetes import pod
from components.kubernetes.manifest import UNAWAITED
from components.kubernetes.names import labels, runtime, schedule_labels
from components.labels import SCHEDULE
from curtainup.model.release import Release
from curtainup.model.schedule import Schedule
from curtainup.model.targets.cron_jobs import KEPT_RUNS, STARTING, WHEN, when
from curtainup.model.targets.kubernetes import KubernetesEnvironment
from curtainup.util.cluster_cron import for_cluster

_POLICIES = {"forbid": "Forbid", "allow": "Allow"}


def cron_job(
    settings: KubernetesEnvironment, release: Release, schedule: Schedule, secrets: list[str]
) -> dict[str, Any]:
    """Return what makes a Job for each run. Another release changes it; a Job that runs stays as it is.

    The manifest does not say whether it is suspended: whoever suspends it lifts that.

    Args:
        settings: of the environment.
        release: the one that works.
        schedule: one of its schedules.
        secrets: the names of its secret variables.

    """
    return {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {
            "name": settings.schedule_workload(schedule.name),
            "namespace": settings.namespace,
            "labels": {**labels(settings), SCHEDULE: schedule.name},
            "annotations": dict(UNAWAITED),
        },
        "spec": {
            "schedule": for_cluster(schedule.cron),
            "timeZone": schedule.timezone,
            "concurrencyPolicy": _POLICIES[schedule.overlap],
            "startingDeadlineSeconds": schedule.start_within,
            "successfulJobsHistoryLimit": KEPT_RUNS,
            "failedJobsHistoryLimit": KEPT_RUNS,
            "jobTemplate": _job(settings, release, schedule, secrets),
        },
    }


def _job(
    settings: KubernetesEnvironment, release: Release, schedule: Schedule, secrets: list[str]
) -> dict[str, Any]:
    """Return the template of a run, which is never tried again.

    The pod ends at its time limit by itself, and its log stays. A Job at its limit deletes its pod.
    """
    own, marks = runtime(release), schedule_labels(settings, release, schedule)
    spec = {
        **pod.identity(settings),
        "shareProcessNamespace": True,
        "restartPolicy": "Never",
        "activeDeadlineSeconds": schedule.time_limit,
        "terminationGracePeriodSeconds": own.stop_timeout,
        "securityContext": pod.pod_security(own),
        "containers": [pod.beside(settings, release, schedule.command, secrets, own.memory_mb, own.cpus)],
        **pod.volumes(own),
    }
    return {
        "metadata": {"labels": marks, "annotations": {WHEN: when(schedule)}},
        "spec": {
            "backoffLimit": 0,
            "activeDeadlineSeconds": schedule.time_limit + STARTING,
            "template": {"metadata": {"labels": marks}, "spec": spec},
        },
    }
