"""The Job of a task: how it is made, and how it is removed."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Event
from typing import Any

from curtainup.config.tasks import Task
from curtainup.errors import Interrupted, SetupError
from curtainup.model.targets.kubernetes import unexpanded
from curtainup.platforms.docker.labels import RUN, TASK, WORKS_FOR
from curtainup.platforms.kubernetes import pods
from curtainup.platforms.kubernetes.cluster import Cluster, Refused
from curtainup.platforms.kubernetes.patience import patiently
from curtainup.targets.command import moved

LOOK = 0.5
"""Seconds between two looks."""
STARTING = 300
"""Seconds that the cluster may take, beyond the task's own time, to begin it."""
ENDING = 60.0
"""Seconds that a task which was stopped is waited for, beyond those that its pod may take to stop."""
AWAY = 60.0
"""Seconds that the API server may be away while a Job is made, or nothing is waited for but its answer."""
REMOVING = 15.0
"""Seconds that it may be away when a Job is removed: the cluster removes what is left by itself."""
KEPT = 3600
"""Seconds for which the cluster keeps a Job that has ended, if the run that made it was killed."""
_NOT_OF_TASKS = ("livenessProbe", "readinessProbe", "startupProbe", "lifecycle", "ports")
_EXISTS = 409


@dataclass(frozen=True)
class Words:
    """What errors say of what a Job runs.

    Attributes:
        kind: of what it is, before its name.
        what: it is, with its article.
        held: what follows where it does not run to its end.
        manual: where it is written what a cluster needs for it.
        again: what to do once the trouble is mended.
        source: what its Job is made from; empty is the release's Deployment.

    """

    kind: str
    what: str
    held: str
    manual: str
    again: str
    source: str = ""


OF_TASK = Words(
    kind="task",
    what="a task",
    held="the release gets no traffic, and the environment is put back",
    manual="docs/tasks.md",
    again="then deploy again: all tasks run again",
)


@dataclass(frozen=True)
class Place:
    """Where tasks run.

    Attributes:
        namespace: the environment's.
        deployment: the name of the Deployment whose pods they are made like: a release's, or a process's.
        container: the name of the service's container.
        labels: what the environment's objects are labelled with.
        run: the id of the run.
        grace: seconds between SIGTERM and SIGKILL.
        adds_nodes: whether the cluster adds nodes for pods that have none.
        mark: the label that tells a Job of this kind from the environment's other objects.
        words: what errors say of it.
        process: the process whose pods they are made like; empty is the release itself.
        release: the id of the release that the process has to be of.

    """

    namespace: str
    deployment: str
    container: str
    labels: Mapping[str, str]
    run: str
    grace: int
    adds_nodes: bool = False
    mark: str = TASK
    words: Words = OF_TASK
    process: str = ""
    release: str = ""

    @property
    def jobs(self) -> str:
        """The path of the namespace's Jobs in the API."""
        return _jobs(self.namespace)


def require_of_release(deployment: Mapping[str, Any], place: Place) -> None:
    """Check that a process's Deployment is that of the release which is meant: all releases share it.

    Raises:
        RefusedError: it is another release's.

    """
    its = deployment["spec"]["template"]["metadata"]["labels"].get(WORKS_FOR, "")
    if place.process and its != place.release:
        raise moved(place.process, place.release, f"Deployment {place.deployment}")


def manifest(deployment: Mapping[str, Any], place: Place, task: Task) -> dict[str, Any]:
    """Return the Job of a task: the release's pods, with the task's command in the place of the image's CMD.

    It has not the labels of the release's pods, so that no Service sends requests to it.
    """
    spec = deployment["spec"]["template"]["spec"]
    container = next(one for one in spec["containers"] if one["name"] == place.container)
    kept = {key: value for key, value in container.items() if key not in _NOT_OF_TASKS}
    labels = {**place.labels, place.mark: task.name, RUN: place.run}
    pod = {
        **{key: value for key, value in spec.items() if key not in {"topologySpreadConstraints", "affinity"}},
        "containers": [{**kept, "args": [unexpanded(word) for word in task.command]}],
        "restartPolicy": "Never",
        "terminationGracePeriodSeconds": place.grace,
    }
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": f"task-{task.name[:40]}-{secrets.token_hex(4)}", "labels": labels},
        "spec": {
            "backoffLimit": 0,
            "activeDeadlineSeconds": task.timeout + STARTING,
            "ttlSecondsAfterFinished": KEPT,
            "template": {"metadata": {"labels": labels}, "spec": pod},
        },
    }


def make(cluster: Cluster, place: Place, job: Mapping[str, Any], cancel: Event) -> str:
    """Make a Job, and return its name. If an answer was lost, the Job may be there by now, and is ours.

    Raises:
        Refused: the cluster refuses it.
        SetupError: it does not answer.

    """
    tried: list[bool] = []

    def create() -> None:
        again = bool(tried)
        tried.append(True)
        try:
            cluster.create(place.jobs, job)
        except Refused as refused:
            if not again or refused.status != _EXISTS:
                raise

    patiently(create, AWAY, cancel)
    return pods.name_of(job)


def remove(cluster: Cluster, place: Place, job: str, warn: Callable[[str], None]) -> None:
    """Remove a Job and its pod; one that still runs is stopped first, and waited for.

    The task is over, so what cannot be removed is only told.
    """
    where = f"Job {job} in namespace {place.namespace}"
    try:
        patiently(lambda: cluster.delete(f"{place.jobs}/{job}", propagationPolicy="Background"), REMOVING)
        if not _is_gone(cluster, place.namespace, f"job-name={job}", Event()):
            warn(f"{where} was told to end, and its pod still runs: kubectl describe pod -l job-name={job}")
    except (Refused, SetupError) as error:
        warn(
            f"{where} could not be removed ({error}); the cluster does so {KEPT // 60} minutes after its end"
        )


def end(cluster: Cluster, namespace: str, labels: Mapping[str, str], cancel: Event, mark: str = TASK) -> None:
    """End the tasks, or what else has that mark, that a killed run has left, and wait for their end.

    The caller holds the service's lock, so none is a living run's.

    Raises:
        SetupError: the cluster does not answer, or does not allow it, or a task does not end.
        Interrupted: the run was cancelled.

    """
    selector = ",".join([mark, *(f"{key}={value}" for key, value in labels.items())])
    with cluster.said_clearly():
        if not cluster.items(_jobs(namespace), labelSelector=selector):
            return
        cluster.delete(_jobs(namespace), labelSelector=selector, propagationPolicy="Background")
        if not _is_gone(cluster, namespace, selector, cancel):
            raise SetupError(
                "a task that a run which was killed has left does not end",
                where=f"namespace {namespace}, {cluster}",
                consequence="two of a kind could be at work at the same time, so nothing more was done",
                fix=f"see what holds its pod: kubectl describe pod -n {namespace} -l {mark}",
            )


def _jobs(namespace: str) -> str:
    return f"/apis/batch/v1/namespaces/{namespace}/jobs"


def _is_gone(cluster: Cluster, namespace: str, selector: str, cancel: Event) -> bool:
    """Wait until no pod runs any more, and return whether that is so.

    Raises:
        Interrupted: the run was cancelled.

    """
    began, path = time.monotonic(), f"/api/v1/namespaces/{namespace}/pods"
    while True:
        found = patiently(lambda: cluster.items(path, labelSelector=selector), REMOVING, cancel)
        left = [one for one in found if (one.get("status") or {}).get("phase") not in {"Succeeded", "Failed"}]
        if not left:
            return True
        grace = max(int((one.get("spec") or {}).get("terminationGracePeriodSeconds") or 0) for one in left)
        if cancel.wait(LOOK):
            raise Interrupted("interrupted while a task was to end", where=f"namespace {namespace}")
        if time.monotonic() - began > grace + ENDING:
            return False
