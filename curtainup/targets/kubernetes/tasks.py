"""A task on a cluster: a Job in the release's image, made as the release's pods are, and always removed."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Event, Thread
from typing import Any

from curtainup.config.tasks import Task
from curtainup.errors import SetupError
from curtainup.platforms.docker.labels import RUN, TASK
from curtainup.platforms.kubernetes import diagnosis, log, pods
from curtainup.platforms.kubernetes.cluster import Cluster, Refused
from curtainup.platforms.kubernetes.diagnosis import Finding, Seen
from curtainup.platforms.kubernetes.log import Wrote
from curtainup.targets.task_result import Ran
from curtainup.util.process import Ended

LOOK = 0.5
"""Seconds between two looks."""
STARTING = 300
"""Seconds that the cluster may take, beyond the task's own time, to begin it."""
ENDING = 60.0
"""Seconds that a task which was stopped is waited for."""
SETTLING = 10.0
"""Seconds that the last lines are waited for."""
KEPT = 3600
"""Seconds for which the cluster keeps a Job that has ended, if the run that made it was killed."""
CODES = {126: "its command is not executable", 127: "its command was not found"}
_NOT_OF_TASKS = ("livenessProbe", "readinessProbe", "startupProbe", "lifecycle", "ports")


@dataclass(frozen=True)
class Place:
    """Where tasks run.

    Attributes:
        namespace: the environment's.
        deployment: the name of the Deployment of the release in whose image they run.
        container: the name of the service's container.
        labels: what the environment's objects are labelled with.
        run: the id of the run.
        grace: seconds between SIGTERM and SIGKILL.

    """

    namespace: str
    deployment: str
    container: str
    labels: Mapping[str, str]
    run: str
    grace: int

    @property
    def jobs(self) -> str:
        """The path of the namespace's Jobs in the API."""
        return f"/apis/batch/v1/namespaces/{self.namespace}/jobs"


def manifest(deployment: Mapping[str, Any], place: Place, task: Task) -> dict[str, Any]:
    """Return the Job of a task: the release's pods, with the task's command in the place of the image's CMD.

    It has not the labels of the release's pods, so that no Service sends requests to it.
    """
    spec = deployment["spec"]["template"]["spec"]
    container = next(one for one in spec["containers"] if one["name"] == place.container)
    kept = {key: value for key, value in container.items() if key not in _NOT_OF_TASKS}
    labels = {**place.labels, TASK: task.name, RUN: place.run}
    pod = {
        **{key: value for key, value in spec.items() if key not in {"topologySpreadConstraints", "affinity"}},
        "containers": [{**kept, "args": list(task.command)}],
        "restartPolicy": "Never",
        "terminationGracePeriodSeconds": place.grace,
    }
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"generateName": f"task-{task.name[:40]}-", "labels": labels},
        "spec": {
            "backoffLimit": 0,
            "activeDeadlineSeconds": task.timeout + STARTING,
            "ttlSecondsAfterFinished": KEPT,
            "template": {"metadata": {"labels": labels}, "spec": pod},
        },
    }


def run(cluster: Cluster, place: Place, task: Task, cancel: Event, on_line: Callable[[str], None]) -> Ran:
    """Run a task to its end, or stop it as a release is stopped.

    Args:
        cluster: where.
        place: where on it.
        task: what to run, and for how long at most.
        cancel: stops it when set.
        on_line: takes each line of its output.

    Raises:
        SetupError: the cluster refuses it, cannot start it, or does not answer.

    """
    deployment = cluster.find(f"/apis/apps/v1/namespaces/{place.namespace}/deployments/{place.deployment}")
    if deployment is None:
        raise _not_run("the release's Deployment is gone", place, "")
    try:
        job = pods.name_of(cluster.create(place.jobs, manifest(deployment, place, task)))
    except Refused as refused:
        raise _not_run("the cluster refuses its Job", place, refused.message) from refused
    try:
        return _Execution(cluster, place, job, task, cancel, on_line).end()
    except Refused as refused:
        raise _not_run("the cluster refuses to tell of it", place, refused.message) from refused
    finally:
        _remove(cluster, place, job)


def end(cluster: Cluster, namespace: str, labels: Mapping[str, str]) -> None:
    """End the tasks that a run which was killed has left, and wait until they have ended.

    The caller holds the service's lock, so none is a living run's.

    Raises:
        SetupError: the cluster does not answer, or does not allow it.

    """
    selector = ",".join([TASK, *(f"{key}={value}" for key, value in labels.items())])
    path = f"/apis/batch/v1/namespaces/{namespace}/jobs"
    with cluster.said_clearly():
        if cluster.items(path, labelSelector=selector):
            cluster.delete(path, labelSelector=selector, propagationPolicy="Background")
            _wait_until_gone(cluster, namespace, selector)


@dataclass
class _Execution:
    cluster: Cluster
    place: Place
    job: str
    task: Task
    cancel: Event
    on_line: Callable[[str], None]
    reader: Thread | None = None
    failing_since: float | None = None

    def end(self) -> Ran:
        """Wait for the end, and return what came of it."""
        deadline = time.monotonic() + STARTING
        begun = False
        while True:
            pod = self._pod()
            begun = begun or (pod is not None and self._has_begun(pod))
            if pod is not None and begun and self.reader is None:
                deadline = time.monotonic() + self.task.timeout
                self._read(pods.name_of(pod))
            terminated = pods.last_end(pod, self.place.container) if pod is not None else None
            if pod is not None and terminated is not None:
                self._settle()
                return self._result(pod, terminated)
            if not begun:
                self._raise_if_stuck(pod)
            if self.cancel.wait(LOOK):
                return Ran(None, Ended.STOPPED, self._where)
            if time.monotonic() > deadline:
                if begun:
                    return Ran(None, Ended.TIMED_OUT, self._where)
                raise _not_run(f"it did not begin within {STARTING} s", self.place, "")

    @property
    def _where(self) -> str:
        return f"Job {self.job} in namespace {self.place.namespace}"

    def _pod(self) -> dict[str, Any] | None:
        path = f"/api/v1/namespaces/{self.place.namespace}/pods"
        found = self.cluster.items(path, labelSelector=f"job-name={self.job}")
        return found[-1] if found else None

    def _has_begun(self, pod: pods.Object) -> bool:
        state = pods.container_of(pod, self.place.container).get("state") or {}
        return "running" in state or "terminated" in state

    def _read(self, pod: str) -> None:
        wrote = Wrote(self.place.namespace, pod, self.place.container)

        def read() -> None:
            for one in log.resumed(self.cluster, wrote):
                self.on_line(one.text)

        self.reader = Thread(target=read, name="task", daemon=True)
        self.reader.start()

    def _settle(self) -> None:
        if self.reader is not None:
            self.reader.join(SETTLING)

    def _raise_if_stuck(self, pod: pods.Object | None) -> None:
        found = self._trouble(pod)
        if found is None:
            self.failing_since = None
            return
        now = time.monotonic()
        self.failing_since = self.failing_since or now
        if now - self.failing_since >= found.lasts:
            raise _not_run(found.what, self.place, found.detail, found.fix)

    def _trouble(self, pod: pods.Object | None) -> Finding | None:
        if pod is not None:
            seen = Seen({"metadata": {}}, [pod], (), self.place.container, "of the release", 0)
            found = diagnosis.findings(seen)
            return found[0] if found else None
        path = f"/api/v1/namespaces/{self.place.namespace}/events"
        events = self.cluster.items(path, fieldSelector=f"involvedObject.name={self.job}")
        refused = [one for one in events if one.get("reason") == "FailedCreate"]
        return diagnosis.refusal(str(refused[-1].get("message"))) if refused else None

    def _result(self, pod: pods.Object, terminated: pods.Object) -> Ran:
        code = int(terminated.get("exitCode") or 0)
        if terminated.get("reason") == "OOMKilled":
            size = pods.limit(pod, self.place.container, "memory")
            why, fix = f"it used more than its {size} of memory", "raise `memory_limit` in pym-config.yaml"
            return Ran(code, Ended.BY_ITSELF, self._where, why, f"{fix}, or make it need less")
        if terminated.get("reason") in diagnosis.NOT_STARTED:
            why = str(terminated.get("message") or "its command cannot be started")
            return Ran(
                code, Ended.BY_ITSELF, self._where, why, "check the command, and that it is in the image"
            )
        fix = "check the command, and that its program is in the image" if code in CODES else ""
        return Ran(code, Ended.BY_ITSELF, self._where, CODES.get(code, ""), fix)


def _remove(cluster: Cluster, place: Place, job: str) -> None:
    """Remove a Job and its pod; one that still runs is stopped first, and waited for."""
    cluster.delete(f"{place.jobs}/{job}", propagationPolicy="Background")
    _wait_until_gone(cluster, place.namespace, f"job-name={job}")


def _wait_until_gone(cluster: Cluster, namespace: str, selector: str) -> None:
    """Wait for a while until no pod runs any more."""
    deadline, pause = time.monotonic() + ENDING, Event()
    path = f"/api/v1/namespaces/{namespace}/pods"
    while time.monotonic() < deadline:
        there = cluster.items(path, labelSelector=selector)
        if all((one.get("status") or {}).get("phase") in {"Succeeded", "Failed"} for one in there):
            return
        pause.wait(LOOK)


def _not_run(what: str, place: Place, detail: str, fix: str = "") -> SetupError:
    return SetupError(
        f"a task could not be run: {what}",
        where=f"Deployment {place.deployment} in namespace {place.namespace}",
        consequence="the release gets no traffic, and the environment is put back",
        fix=fix or "docs/tasks.md says what a cluster needs; then deploy again",
        detail=detail or None,
    )
