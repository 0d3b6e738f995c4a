"""The processes of an environment on a Docker host: one container for each copy."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from curtainup.errors import EngineFailed, RefusedError
from curtainup.model.process import Process, container, copies
from curtainup.model.process_state import (
    ENDED,
    GONE,
    OF_CONTAINERS,
    RUNNING,
    ProcessState,
)
from curtainup.model.release import Release
from curtainup.platforms import exits
from curtainup.platforms.docker import clock, errors
from curtainup.platforms.docker.labels import ENVIRONMENT, PROCESS, RELEASE, SERVICE
from curtainup.platforms.haproxy import proxy
from curtainup.targets.docker.tasks import settings_of
from curtainup.targets.processes import wanted
from curtainup.targets.runs import RunsProcesses, TendsProcesses
from curtainup.targets.target import Target

if TYPE_CHECKING:
    from docker import APIClient

LIMIT_TRIES, LIMIT_PAUSE = 10, 0.2
"""How often, and after how many seconds, a limit is tried: Docker refuses one while a container ends."""


@dataclass(frozen=True)
class DockerProcesses:
    """The processes of a release.

    Attributes:
        api: of the Docker engine.
        stack: of the environment.
        redact: takes the secrets out of a text.

    """

    api: APIClient
    stack: str
    redact: Callable[[str], str] = str

    def states(self, release: Release) -> list[ProcessState]:
        """Return what each copy of each process does, in the order of their names.

        Raises:
            SetupError: the Docker engine does not answer.

        """
        with _said_clearly():
            now = clock.now(self.api)
            return [self._state(release, one, number, now) for one, number in copies(release.settings)]

    def trouble(self, release: Release, process: Process, number: int) -> str | None:
        """Run the health command of a copy; return None if it exits with 0, else how it ended.

        Raises:
            SetupError: the Docker engine does not answer.

        """
        from docker.errors import APIError
        from requests import ReadTimeout

        name = container(self.stack, process, number, release.id)
        with _said_clearly():
            try:
                made = self.api.exec_create(name, list(process.health))
                said = self.api.exec_start(made["Id"])
                code = self.api.exec_inspect(made["Id"])["ExitCode"]
            except APIError as error:  # it has just ended
                return self.redact(str(error.explanation or error))
            except ReadTimeout:
                return "it did not end"
        if code == 0:
            return None
        return self.redact(f"exit code {code}\n{said.decode(errors='replace')}".rstrip())

    def log(self, release: Release, process: Process, number: int) -> str:
        """Return the end of what a copy wrote, without secrets."""
        from docker.errors import NotFound

        name = container(self.stack, process, number, release.id)
        with _said_clearly():
            try:
                log = self.api.logs(name, tail=exits.READ_LINES)
            except NotFound:
                return "(its log is gone with its container)"
        return self.redact(log.decode(errors="replace").rstrip()) or "(it wrote nothing)"

    def require_names(self, named: Sequence[Process], own: Mapping[str, str]) -> None:
        """Check that no container of somebody else has the name of one of the processes.

        Args:
            named: the processes of the next release. Where releases may overlap, its id is in the name.
            own: labels of every container of the environment.

        Raises:
            RefusedError: one does.
            SetupError: the Docker engine does not answer.

        """
        names = {
            container(self.stack, one, number, "")
            for one in named
            for number in range(1, one.count + 1)
            if not one.overlap
        }
        if not names:
            return
        with _said_clearly():
            there = self.api.containers(all=True, filters={"name": f"^/{self.stack}[.]"})
        others = {
            str(one["Names"][0]).lstrip("/")
            for one in there
            if not own.items() <= (one["Labels"] or {}).items()
        }
        if taken := sorted(names & others):
            raise RefusedError(
                "a container that curtainup did not make has the name of a process",
                where=f"container {', '.join(taken)}",
                consequence="the process could not start, so nothing was built or changed",
                fix="remove or rename that container, or rename the process in pym-config.yaml",
            )

    def lost(self, release: Release, own: Mapping[str, str]) -> bool:
        """Return whether a container is gone; one of another release that has its place is not.

        Args:
            release: the release that works.
            own: labels of every container of the environment.

        Raises:
            SetupError: the Docker engine does not answer.

        """
        labels = [PROCESS, *(f"{label}={value}" for label, value in own.items())]
        with _said_clearly():
            found = self.api.containers(all=True, filters={"label": labels})
        there = {str(one["Names"][0]).lstrip("/") for one in found}
        return any(
            container(self.stack, one, number, release.id) not in there
            for one, number in copies(release.settings)
        )

    def limit(self, release: Release) -> None:
        """Limit how many processes and threads each container may hold; pulumi_docker cannot.

        Raises:
            EngineFailed: the Docker engine refused the limit.
            SetupError: the Docker engine does not answer.

        """
        limit = settings_of(release).pids_limit
        for process, number in copies(release.settings):
            self._limit(container(self.stack, process, number, release.id), limit)

    def _limit(self, name: str, limit: int) -> None:
        for left in reversed(range(LIMIT_TRIES)):
            try:
                found = proxy.container_facts(self.api, name)
                if found is not None and found["HostConfig"]["PidsLimit"] != limit:
                    proxy.limit_pids(self.api, name, limit)
            except LookupError:  # it went between the two
                return
            except EngineFailed:
                if not left:
                    raise
                time.sleep(LIMIT_PAUSE)
            else:
                return

    def _state(self, release: Release, process: Process, number: int, now: datetime) -> ProcessState:
        from docker.errors import NotFound

        name = container(self.stack, process, number, release.id)
        place = f"container {name}"
        try:
            found = self.api.inspect_container(name)
        except NotFound:
            return ProcessState(process.name, number, release.id, GONE, place=place)
        if _release_of(found) != release.id:
            return ProcessState(process.name, number, release.id, GONE, place=place)
        state = found["State"]
        told = OF_CONTAINERS.get(str(state["Status"]), ENDED)
        ran = (now - datetime.fromisoformat(state["StartedAt"])).total_seconds() if told == RUNNING else 0.0
        return ProcessState(
            process.name,
            number,
            release.id,
            told,
            restarts=int(found["RestartCount"]),
            seconds=max(0.0, ran),
            place=place,
            why=_why(state, process) if told != RUNNING or found["RestartCount"] else "",
        )


class HasProcesses(Target, RunsProcesses, TendsProcesses):
    """A target whose releases have processes."""

    def require_process_names(self) -> None:
        """Check that no container of somebody else has the name of a process.

        Raises:
            RefusedError: one does.

        """
        self._processes.require_names(wanted(self._session, self.config), self._own)

    def process_states(self, release: Release) -> list[ProcessState]:
        """Return what the containers of a release's processes do."""
        return self._processes.states(release)

    def process_trouble(self, release: Release, process: Process, number: int) -> str | None:
        """Run the health command of a process in its container."""
        return self._processes.trouble(release, process, number)

    def process_log(self, release: Release, process: Process, number: int) -> str:
        """Return the end of what a process's container wrote."""
        return self._processes.log(release, process, number)

    def has_lost_process(self, release: Release) -> bool:
        """Return whether somebody removed the container of a process."""
        return self._processes.lost(release, self._own)

    def limit_processes(self, release: Release) -> None:
        """Limit how many processes and threads the containers may hold."""
        self._processes.limit(release)

    @property
    def _own(self) -> dict[str, str]:
        return {SERVICE: self._session.service.config.name, ENVIRONMENT: self.name}

    @property
    def _processes(self) -> DockerProcesses:
        session = self._session
        api = session.accounts.docker.api
        return DockerProcesses(api, self.environment.stack, session.service.redact)


def _release_of(found: Mapping[str, Any]) -> str:
    return str((found["Config"].get("Labels") or {}).get(RELEASE, ""))


def _why(state: Mapping[str, Any], process: Process) -> str:
    """Return how a container ended last; one that runs again has no exit code any more."""
    if state["OOMKilled"]:
        return f"it used more than its {process.memory_mb} MiB of memory"
    return "" if state["Status"] == "running" else f"exit code {state['ExitCode']}"


def _said_clearly() -> AbstractContextManager[None]:
    return errors.translated(
        "the Docker engine does not tell of the processes",
        where="docker inspect",
        consequence="nobody knows whether they work",
    )
