"""The processes of an environment on a cluster: the pods of a Deployment for each."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from curtainup.model.process import Process, processes_of
from curtainup.model.process_state import ENDED, RESTARTING, RUNNING, STARTING, ProcessState
from curtainup.model.release import Release
from curtainup.model.targets.kubernetes import CONTAINER
from curtainup.platforms import exits
from curtainup.platforms.docker.labels import PROCESS, WORKS_FOR
from curtainup.platforms.kubernetes import log, pods
from curtainup.platforms.kubernetes.cluster import Refused
from curtainup.platforms.kubernetes.log import Wrote
from curtainup.platforms.kubernetes.pods import Object
from curtainup.targets.kubernetes.on_cluster import OnCluster
from curtainup.targets.kubernetes.space import CORE, Space
from curtainup.targets.runs import RunsProcesses

CRASHING = "CrashLoopBackOff"


@dataclass
class KubernetesProcesses:
    """The processes of an environment, as long as a command looks at them.

    Attributes:
        redact: takes the secrets out of a text.
        clock: tells the seconds. The cluster's own clock may differ from that of this machine.

    """

    redact: Callable[[str], str] = str
    clock: Callable[[], float] = time.monotonic
    _since: dict[tuple[str, int], float] = field(default_factory=dict)

    def states(self, space: Space, release: Release) -> list[ProcessState]:
        """Return what each copy of each process of a release does.

        Raises:
            SetupError: the cluster does not tell.

        """
        return [
            self._state(space, release, process, number, pod)
            for process in processes_of(release.settings)
            for number, pod in enumerate(self._pods(space, release, process), 1)
        ]

    def trouble(self, space: Space, release: Release, process: Process, number: int) -> str | None:
        """Return None once the cluster has seen the health command of a copy exit with 0."""
        pod = self.pod(space, release, process, number)
        if pod is not None and pods.container_of(pod, CONTAINER).get("started"):
            return None
        return "the health command has not exited with 0 yet; `kubectl describe pod` says how it fails"

    def log(self, space: Space, release: Release, process: Process, number: int) -> str:
        """Return the end of what a copy wrote, before its last end if it has ended."""
        pod = self.pod(space, release, process, number)
        if pod is None:
            return "(it has no pod)"
        wrote = Wrote(space.settings.namespace, pods.name_of(pod), CONTAINER)
        previous = pods.last_end(pod, CONTAINER) is not None and pods.is_running(pod, CONTAINER)
        try:
            found = log.lines(space.cluster, wrote, tail=exits.READ_LINES, previous=previous)
            text = "\n".join(one.text for one in found)
        except Refused as refused:
            return exits.UNREADABLE.format(why=refused.message)
        return self.redact(text.rstrip()) or "(it wrote nothing)"

    def pod(self, space: Space, release: Release, process: Process, number: int) -> Object | None:
        """Return the pod of a copy; None while it has none."""
        return self._pods(space, release, process)[number - 1]

    def _pods(self, space: Space, release: Release, process: Process) -> Sequence[Object | None]:
        """Return the pods of a process, by their names; None for each that is still to come."""
        selector = f"{PROCESS}={process.name},{WORKS_FOR}={release.id}"
        with space.cluster.said_clearly():
            found = space.cluster.items(space.path(CORE, "pods"), labelSelector=selector)
        there: list[Any] = sorted((one for one in found if not _is_deleted(one)), key=pods.name_of)
        return [*there, *[None] * (process.count - len(there))]

    def _state(
        self, space: Space, release: Release, process: Process, number: int, pod: Object | None
    ) -> ProcessState:
        if pod is None:
            place = f"Deployment {space.settings.process_workload(process.name)}, {space}"
            return ProcessState(process.name, number, release.id, STARTING, place=place)
        restarts, end = pods.restarts(pod, CONTAINER), pods.last_end(pod, CONTAINER)
        state, seconds = _does(pod), 0.0
        if state == RUNNING:
            began = self._since.setdefault((str(pod["metadata"].get("uid")), restarts), self.clock())
            seconds = self.clock() - began
        waits = str(pods.waiting(pod, CONTAINER).get("reason") or "") if state == STARTING else ""
        return ProcessState(
            process.name,
            number,
            release.id,
            state,
            restarts=restarts,
            seconds=seconds,
            place=f"pod {pods.name_of(pod)}, {space}",
            why=_why(end) or waits,
        )


class HasProcesses(OnCluster, RunsProcesses):
    """A target whose releases have processes."""

    def require_process_names(self) -> None:
        """Require nothing: the namespace is the environment's own, and nothing else there has such a name."""

    def process_states(self, release: Release) -> list[ProcessState]:
        """Return what the pods of a release's processes do."""
        return self._processes.states(self._space, release)

    def process_trouble(self, release: Release, process: Process, number: int) -> str | None:
        """Return what the cluster says of a process's health command."""
        return self._processes.trouble(self._space, release, process, number)

    def process_log(self, release: Release, process: Process, number: int) -> str:
        """Return the end of what a process's pod wrote."""
        return self._processes.log(self._space, release, process, number)

    def copy(self, release: Release, process: Process, number: int) -> list[Object]:
        """Return the pod of a copy of a process, if there is one."""
        found = self._processes.pod(self._space, release, process, number)
        return [] if found is None else [found]

    @cached_property
    def _processes(self) -> KubernetesProcesses:
        return KubernetesProcesses(self._session.service.redact)


def _does(pod: Object) -> str:
    state = pods.container_of(pod, CONTAINER).get("state") or {}
    if "running" in state:
        return RUNNING
    if "terminated" in state:
        return ENDED
    return RESTARTING if pods.waiting(pod, CONTAINER).get("reason") == CRASHING else STARTING


def _why(end: Object | None) -> str:
    if end is None:
        return ""
    if end.get("reason") == "OOMKilled":
        return "it used more than its memory"
    return f"exit code {end.get('exitCode')}"


def _is_deleted(pod: Object) -> bool:
    return bool(pod["metadata"].get("deletionTimestamp"))
