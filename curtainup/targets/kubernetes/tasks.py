"""A task on a cluster: a Job in the release's image, made as the release's pods are, and always removed."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Event, Thread

from curtainup.config.tasks import Task
from curtainup.errors import SetupError
from curtainup.platforms.kubernetes import diagnosis, log, nodes, pods
from curtainup.platforms.kubernetes.cluster import Cluster, Refused, may_pass
from curtainup.platforms.kubernetes.diagnosis import UNSCHEDULABLE, Finding, Seen
from curtainup.platforms.kubernetes.log import Wrote
from curtainup.platforms.kubernetes.nodes import Nodes
from curtainup.platforms.kubernetes.patience import patiently
from curtainup.targets.kubernetes import jobs
from curtainup.targets.kubernetes.jobs import AWAY, LOOK, STARTING, Place
from curtainup.targets.task_result import Ran
from curtainup.util.process import Ended

SETTLING = 10.0
"""Seconds that the last lines are waited for."""
PAST_ITS_TIME = "DeadlineExceeded"
"""The reason of a pod, or of a Job, that took longer than its own `activeDeadlineSeconds`."""
CODES = {126: "its command is not executable", 127: "its command was not found"}
WENT_ON = "what it has changed stays changed"


@dataclass(frozen=True)
class Means:
    """What a run has for its tasks.

    Attributes:
        cancel: stops a task when set.
        on_line: takes each line of its output.
        warn: takes what the deployer has to know although the task is over.

    """

    cancel: Event
    on_line: Callable[[str], None]
    warn: Callable[[str], None]


def run(cluster: Cluster, place: Place, task: Task, means: Means) -> Ran:
    """Run a task to its end, or stop it as a release is stopped.

    While it runs, an API server that is away is asked again: the task goes on without it. Its Job is removed
    once it is over. If nobody can tell whether it is, the Job stays, and ends by itself.

    Args:
        cluster: where.
        place: where on it.
        task: what to run, and for how long at most.
        means: what stops it, and takes its output.

    Raises:
        SetupError: the cluster refuses it, cannot start it, or does not answer.
        RefusedError: it is to run as a process, whose Deployment is another release's by now.

    """
    path = f"/apis/apps/v1/namespaces/{place.namespace}/deployments/{place.deployment}"
    try:
        deployment = patiently(lambda: cluster.find(path), AWAY, means.cancel)
        if deployment is None:
            raise _not_run("the release's Deployment is gone", place, "")
        jobs.require_of_release(deployment, place)
        job = jobs.make(cluster, place, jobs.manifest(deployment, place, task), means.cancel)
    except Refused as refused:
        raise _not_run("the cluster refuses its Job", place, refused.message) from refused
    return follow(Execution(cluster, place, job, task, means))


def follow(execution: Execution, *, stays: bool = False) -> Ran:
    """Wait for the end of what a Job runs, and remove the Job unless it may still run.

    Args:
        execution: of a Job that was made.
        stays: whether a Job that has begun stays, whatever comes of it.

    Raises:
        SetupError: the cluster cannot start it, ends it, or does not answer.

    """
    try:
        return execution.end()
    finally:
        if not execution.is_over:
            most = execution.task.timeout + STARTING
            what = f"{execution.place.words.kind} {execution.task.name}"
            execution.means.warn(f"{what} may still run as {execution.where}; it ends within {most} s")
        elif not (stays and execution.begun):
            jobs.remove(execution.cluster, execution.place, execution.job, execution.means.warn)


@dataclass
class Execution:
    """A task, or something like it, that runs as a Job.

    Attributes:
        is_over: whether it has ended, is to end now, or never began.

    """

    cluster: Cluster
    place: Place
    job: str
    task: Task
    means: Means
    is_over: bool = False
    reader: Thread | None = None
    pod: pods.Object | None = None
    begun: bool = False
    failing_since: float | None = None
    away_since: float | None = None

    def __post_init__(self) -> None:
        """Know no node yet."""
        self._nodes = Nodes(self.cluster)

    def end(self) -> Ran:
        """Wait for the end, and return what came of it."""
        deadline = time.monotonic() + STARTING
        while True:
            if self._look():
                if self.begun and self.reader is None:
                    deadline = time.monotonic() + self.task.timeout
                    self._read(pods.name_of(self.pod or {}))
                ran = self._ran()
                if ran is not None:
                    self.is_over = True
                    return ran
            if self.means.cancel.wait(LOOK):
                self.is_over = True
                return Ran(None, Ended.STOPPED, self.where)
            if time.monotonic() > deadline:
                self._raise_if_unknown(deadline)
                if self.away_since is None:
                    self.is_over = True
                    if self.begun:
                        return Ran(None, Ended.TIMED_OUT, self.where)
                    raise _not_run(f"it did not begin within {STARTING} s", self.place, "")

    @property
    def where(self) -> str:
        """Where it runs, in words."""
        return f"Job {self.job} in namespace {self.place.namespace}"

    def _look(self) -> bool:
        """Look at its pod, and return whether the API server has told of it.

        Raises:
            SetupError: it refuses to for `AWAY` seconds, which does not pass.

        """
        try:
            path = f"/api/v1/namespaces/{self.place.namespace}/pods"
            found = self.cluster.items(path, labelSelector=f"job-name={self.job}")
        except (Refused, SetupError) as error:
            now = time.monotonic()
            self.away_since = self.away_since or now
            if not may_pass(error) and now - self.away_since >= AWAY:
                raise self._unknown(str(error)) from error
            return False
        self.away_since = None
        self.pod = found[-1] if found else None
        self.begun = self.begun or (self.pod is not None and self._has_begun(self.pod))
        return True

    def _ran(self) -> Ran | None:
        """Return what came of the task; None while it goes on."""
        pod = self.pod
        if pod is None and self.begun:
            return self._without_pod()
        if pod is not None and (pod.get("status") or {}).get("reason") == PAST_ITS_TIME:
            self._settle()
            return Ran(None, Ended.TIMED_OUT, self.where)
        terminated = pods.last_end(pod, self.place.container) if pod is not None else None
        if pod is not None and terminated is not None:
            self._settle()
            return self._result(pod, terminated)
        if pod is not None and (pod.get("status") or {}).get("phase") == "Failed":
            self.is_over = True
            raise self._cut_off(str(pod["status"].get("message") or pod["status"].get("reason") or ""))
        if not self.begun:
            self._raise_if_stuck(pod)
        return None

    def _without_pod(self) -> Ran | None:
        """Return what the Job says, whose pod is gone: with its node, or by somebody's hand."""
        try:
            job = self.cluster.find(f"{self.place.jobs}/{self.job}")
        except (Refused, SetupError):
            return None  # it is looked at again
        if job is not None and pods.has(job, "Complete"):
            return Ran(0, Ended.BY_ITSELF, self.where)
        failed = pods.condition(job, "Failed") if job is not None else None
        if job is None or failed is not None:
            self.is_over = True
            raise self._cut_off(str((failed or {}).get("message") or "its Job is gone"))
        return None

    def _has_begun(self, pod: pods.Object) -> bool:
        state = pods.container_of(pod, self.place.container).get("state") or {}
        return "running" in state or "terminated" in state

    def _raise_if_unknown(self, deadline: float) -> None:
        """Give an API server that is away when the time is over some more, as the task may have ended."""
        if self.away_since is not None and time.monotonic() > deadline + AWAY:
            raise self._unknown("the API server has not answered since")

    def _unknown(self, detail: str) -> SetupError:
        words = self.place.words
        return SetupError(
            f"nobody can tell whether {words.what} has ended",
            where=self.where,
            consequence=f"{words.held}; {WENT_ON}",
            fix=f"kubectl get job {self.job} -n {self.place.namespace} says so once the cluster answers; "
            f"{words.again}",
            detail=detail,
        )

    def _cut_off(self, detail: str) -> SetupError:
        words = self.place.words
        return SetupError(
            f"the cluster ended {words.what} before its own end",
            where=self.where,
            consequence=f"{words.held}; {WENT_ON}",
            fix=f"see what became of its node; {words.again}",
            detail=detail or None,
        )

    def _read(self, pod: str) -> None:
        wrote = Wrote(self.place.namespace, pod, self.place.container)

        def read() -> None:
            for one in log.resumed(self.cluster, wrote):
                self.means.on_line(one.text)

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
            self.is_over = True
            raise _not_run(found.what, self.place, found.detail, found.fix)

    def _trouble(self, pod: pods.Object | None) -> Finding | None:
        if pod is not None:
            there = self._nodes.looked_at(nodes.suspects([pod], ()))
            seen = Seen({"metadata": {}}, [pod], (), self.place.container, "of the release", 0, there)
            waits = {UNSCHEDULABLE} if self.place.adds_nodes else set()
            return next((one for one in diagnosis.findings(seen) if one.key not in waits), None)
        path = f"/api/v1/namespaces/{self.place.namespace}/events"
        try:
            events = self.cluster.items(path, fieldSelector=f"involvedObject.name={self.job}")
        except (Refused, SetupError):
            return None  # they are looked at again
        refused = [one for one in events if one.get("reason") == "FailedCreate"]
        return diagnosis.refusal(str(refused[-1].get("message"))) if refused else None

    def _result(self, pod: pods.Object, terminated: pods.Object) -> Ran:
        code = int(terminated.get("exitCode") or 0)
        if terminated.get("reason") == "OOMKilled":
            size = pods.limit(pod, self.place.container, "memory")
            why, fix = f"it used more than its {size} of memory", "raise `memory_limit` in pym-config.yaml"
            return Ran(code, Ended.BY_ITSELF, self.where, why, f"{fix}, or make it need less")
        if terminated.get("reason") in diagnosis.NOT_STARTED:
            why = str(terminated.get("message") or "its command cannot be started")
            return Ran(
                code, Ended.BY_ITSELF, self.where, why, "check the command, and that it is in the image"
            )
        fix = "check the command, and that its program is in the image" if code in CODES else ""
        return Ran(code, Ended.BY_ITSELF, self.where, CODES.get(code, ""), fix)


def _not_run(what: str, place: Place, detail: str, fix: str = "") -> SetupError:
    words = place.words
    return SetupError(
        f"{words.what} could not be run: {what}",
        where=f"{words.source or f'Deployment {place.deployment}'} in namespace {place.namespace}",
        consequence=words.held,
        fix=fix or f"{words.manual} says what a cluster needs; {words.again}",
        detail=detail or None,
    )
