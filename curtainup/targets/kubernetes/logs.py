"""Logs of releases on a cluster: what the containers of all their pods write, as the kubelets keep it."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from queue import Queue
from threading import Event, Thread
from typing import Any

from curtainup.errors import SetupError
from curtainup.model.environment import Environment
from curtainup.model.schedule import schedules_of
from curtainup.model.targets.kubernetes import KubernetesEnvironment
from curtainup.platforms.docker.labels import PROCESS, RELEASE, SCHEDULE, WORKS_FOR
from curtainup.platforms.kubernetes import log, pods
from curtainup.platforms.kubernetes.cluster import Cluster, Refused
from curtainup.platforms.kubernetes.clusters import Clusters
from curtainup.platforms.kubernetes.log import Stamped, Wrote
from curtainup.scheduler import place
from curtainup.session import Session
from curtainup.targets.kubernetes import same_place
from curtainup.targets.log_lines import Asked, Line, Lines
from curtainup.targets.log_queue import come

LOOK_FOR_PODS = 2.0
"""Seconds between two looks for pods that have come."""
AT_ONCE = 16
"""Pods whose nodes are tried at the same time."""


@dataclass
class _Following:
    """The lines that have come while logs are followed, and what each container has told until now."""

    lines: Queue[Line | SetupError] = field(default_factory=Queue)
    told: dict[tuple[str, str], str] = field(default_factory=dict)
    read: set[tuple[str, str, int]] = field(default_factory=set)
    ended: Event = field(default_factory=Event)


@dataclass(frozen=True)
class _Whose:
    """Whose lines a container's are: of a release, or of a copy of one of its processes."""

    release: str
    process: str = ""


class KubernetesLogs:
    """The logs of an environment's pods."""

    outlives = False

    def __init__(self, session: Session, environment: Environment, _look: object = None) -> None:
        """Read the logs of an environment, wherever it is: another cluster may be configured by now.

        Args:
            session: the command's.
            environment: whose logs they are.

        Raises:
            TypeError: it is on another target.
            RefusedError: its context leads to another cluster.
            SetupError: there is no such context here, or its cluster does not answer.

        """
        if not isinstance(environment.settings, KubernetesEnvironment):
            raise TypeError("these are not the settings of an environment on Kubernetes")
        self._namespace = environment.settings.namespace
        self._has_schedules = any(schedules_of(one.settings) for one in environment.deployment.releases)
        self._cluster = self._found(session.accounts.clusters, environment.settings)
        self._warn = session.run.report.warn

    def _found(self, clusters: Clusters, known: KubernetesEnvironment) -> Cluster:
        """Return the cluster that the environment is on."""
        return same_place.cluster(clusters, known.name, known)

    def lines(self, asked: Asked) -> Lines:
        """Give the lines of all pods in the order in which they were written."""
        for _, line in self._kept(asked, self._containers(asked)):
            yield line

    def follow(self, asked: Asked) -> Lines:
        """Give the lines; a pod that comes meanwhile, or a container that starts again, is followed too."""
        following = _Following()
        there = self._containers(asked)
        began = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%f}000Z"
        for wrote in there:
            following.told[wrote.pod, wrote.container] = began if asked.tail == 0 else ""
        for (wrote, stamp), line in self._kept(asked, there):
            following.told[wrote.pod, wrote.container] = stamp
            yield line
        Thread(target=self._watch, args=(following, asked), name="logs", daemon=True).start()
        try:
            yield from come(following.lines)
        finally:
            following.ended.set()

    def _watch(self, following: _Following, asked: Asked) -> None:
        """Follow each container that has begun; one that has begun again is another one."""
        while not following.ended.is_set():
            try:
                found = self._begun(asked)
            except SetupError as error:
                following.lines.put(error)
                return
            for wrote, whose, restarts in found:
                if (wrote.pod, wrote.container, restarts) not in following.read:
                    following.read.add((wrote.pod, wrote.container, restarts))
                    arguments = (following, wrote, whose)
                    Thread(target=self._read_on, args=arguments, name="logs", daemon=True).start()
            following.ended.wait(LOOK_FOR_PODS)

    def _read_on(self, following: _Following, wrote: Wrote, whose: _Whose) -> None:
        key = (wrote.pod, wrote.container)
        for one in log.resumed(self._cluster, wrote, following.told.get(key, ""), following.ended):
            if following.ended.is_set():
                return
            following.told[key] = one.stamp
            following.lines.put(_line(one, whose))

    def _kept(self, asked: Asked, there: Mapping[Wrote, _Whose]) -> Iterator[tuple[tuple[Wrote, str], Line]]:
        if asked.tail == 0:
            return
        streams = [self._written(wrote, there[wrote], asked) for wrote in self._reached(list(there))]
        merged = heapq.merge(*streams, key=lambda one: one[1].at)
        yield from merged if asked.tail is None else deque(merged, maxlen=asked.tail)

    def _reached(self, there: Sequence[Wrote]) -> list[Wrote]:
        """Return the containers whose nodes answer, and tell of the others: nobody waits for their lines."""
        with ThreadPoolExecutor(AT_ONCE) as pool:
            answers = list(pool.map(lambda one: log.is_reached(self._cluster, one), there))
        silent = sorted({one.pod for one, answer in zip(there, answers, strict=True) if not answer})
        if silent:
            self._warn(
                f"the nodes of these pods do not answer, so their lines are missing: {', '.join(silent)}"
            )
        return [one for one, answer in zip(there, answers, strict=True) if answer]

    def _written(self, wrote: Wrote, whose: _Whose, asked: Asked) -> Iterator[tuple[tuple[Wrote, str], Line]]:
        try:
            for one in log.lines(self._cluster, wrote, since=asked.since, tail=asked.tail):
                if asked.since is None or one.at >= asked.since:
                    yield (wrote, one.stamp), _line(one, whose)
        except Refused:
            return  # the container has not begun, or its pod has just gone

    def _containers(self, asked: Asked) -> dict[Wrote, _Whose]:
        """Return the containers that have begun, with their release; one that nobody named may be gone."""
        found = {wrote: whose for wrote, whose, _ in self._begun(asked)}
        if asked.releases is not None and not found:
            raise SetupError(
                f"the pods of {', '.join(asked.releases)} are gone, and their logs with them",
                where=f"namespace {self._namespace}, {self._cluster}",
                consequence="there is nothing to show",
                fix="curtainup logs without --release shows what is there",
            )
        return found

    def _begun(self, asked: Asked) -> list[tuple[Wrote, _Whose, int]]:
        """Return the containers that have begun, with their release and how often they began again."""
        path = f"/api/v1/namespaces/{self._namespace}/pods"
        if asked.process == place.NAME and self._has_schedules:
            selector = SCHEDULE
        else:
            selector = f"{PROCESS}={asked.process}" if asked.process else RELEASE
        with self._cluster.said_clearly():
            found = self._cluster.items(path, labelSelector=selector)
        return [each for pod in found for each in self._of_pod(pod, asked)]

    def _of_pod(self, pod: Mapping[str, Any], asked: Asked) -> Iterator[tuple[Wrote, _Whose, int]]:
        whose = _whose(pod, asked.process)
        if not asked.wants(whose.release):
            return
        for status in (pod.get("status") or {}).get("containerStatuses") or ():
            if not {"running", "terminated"}.isdisjoint(status.get("state") or {}) or status.get("lastState"):
                wrote = Wrote(self._namespace, pods.name_of(pod), str(status["name"]))
                yield wrote, whose, int(status.get("restartCount") or 0)


def _whose(pod: Mapping[str, Any], process: str) -> _Whose:
    """Return whose a pod is; copies of a process, and runs, are told apart by the ends of their names."""
    labels = pod["metadata"]["labels"]
    if not process:
        return _Whose(str(labels[RELEASE]))
    name = labels.get(SCHEDULE, process)
    return _Whose(str(labels[WORKS_FOR]), f"{name}.{pods.name_of(pod).rpartition('-')[2]}")


def _line(one: Stamped, whose: _Whose) -> Line:
    return Line(one.at, whose.release, one.text, whose.process)
