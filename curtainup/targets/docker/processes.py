"""The processes of an environment on a Docker host: one container for each copy."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from curtainup.errors import RefusedError
from curtainup.model.process import Process, container, processes_of
from curtainup.model.process_state import ENDED, GONE, RESTARTING, RUNNING, STARTING, ProcessState
from curtainup.model.release import Release
from curtainup.platforms import exits
from curtainup.platforms.docker import clock, errors
from curtainup.platforms.docker.labels import ENVIRONMENT, RELEASE, SERVICE
from curtainup.targets.processes import wanted
from curtainup.targets.runs import RunsProcesses
from curtainup.targets.target import Target

if TYPE_CHECKING:
    from docker import APIClient

_STATES = {"running": RUNNING, "created": STARTING, "restarting": RESTARTING}


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
            return [self._state(release, one, number, now) for one, number in _copies(release)]

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
        told = _STATES.get(str(state["Status"]), ENDED)
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


class HasProcesses(Target, RunsProcesses):
    """A target whose releases have processes."""

    def require_process_names(self) -> None:
        """Check that no container of somebody else has the name of a process.

        Raises:
            RefusedError: one does.

        """
        own = {SERVICE: self._session.service.config.name, ENVIRONMENT: self.name}
        self._processes.require_names(wanted(self._session, self.config), own)

    def process_states(self, release: Release) -> list[ProcessState]:
        """Return what the containers of a release's processes do."""
        return self._processes.states(release)

    def process_trouble(self, release: Release, process: Process, number: int) -> str | None:
        """Run the health command of a process in its container."""
        return self._processes.trouble(release, process, number)

    def process_log(self, release: Release, process: Process, number: int) -> str:
        """Return the end of what a process's container wrote."""
        return self._processes.log(release, process, number)

    @property
    def _processes(self) -> DockerProcesses:
        session = self._session
        api = session.accounts.docker.api
        return DockerProcesses(api, self.environment.stack, session.service.redact)


def _copies(release: Release) -> Iterator[tuple[Process, int]]:
    for process in processes_of(release.settings):
        for number in range(1, process.count + 1):
            yield process, number


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
