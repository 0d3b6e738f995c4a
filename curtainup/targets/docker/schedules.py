"""The schedules of an environment on a Docker host: what the scheduler of the release that works tells."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from curtainup.errors import HostUnreachable, Interrupted, RefusedError, SetupError
from curtainup.model.process import container, processes_of, resource
from curtainup.model.schedule_run import CUT_OFF, TIMED_OUT, ScheduleRun
from curtainup.model.scheduler import is_scheduler, volume
from curtainup.platforms.docker import attached, errors
from curtainup.platforms.docker.attached import Late, Lost
from curtainup.platforms.docker.labels import ENVIRONMENT, SERVICE
from curtainup.scheduler import place
from curtainup.targets import schedules
from curtainup.targets.command import NOT_STARTED, Asked
from curtainup.targets.runs import RunsSchedules
from curtainup.targets.target import Target

if TYPE_CHECKING:
    from docker import APIClient

    from curtainup.model.release import Release
    from curtainup.model.schedule import Schedule

LOOK = 0.05
ANSWER = 30.0
"""Seconds that the scheduler has to tell what has run, and a process to end once it has closed its output."""
UNKNOWN = "nobody knows what has run; the schedules themselves may work"


@dataclass(frozen=True)
class DockerSchedules:
    """The scheduler of one environment, in the container of the release that works.

    Attributes:
        api: of the Docker engine.
        stack: of the environment.

    """

    api: APIClient
    stack: str

    def require_volume(self, own: Mapping[str, str]) -> None:
        """Check that no volume of somebody else has the name of the one that remembers what has run.

        Raises:
            RefusedError: one does.
            SetupError: the Docker engine does not answer.

        """
        name = volume(self.stack)
        with _said_clearly(f"volume {name}"):
            found = self.api.volumes(filters={"name": name})["Volumes"] or ()
        theirs = [one for one in found if one["Name"] == name]
        if theirs and not own.items() <= (theirs[0]["Labels"] or {}).items():
            raise RefusedError(
                "a volume that curtainup did not make has the name of the one for schedules",
                where=f"volume {name}",
                consequence="what it holds could be lost, so nothing was built or changed",
                fix="see what it holds, and remove it: docker volume rm " + name,
            )

    def runs(self, release: Release) -> list[ScheduleRun]:
        """Return the runs that the scheduler remembers, by when they were due.

        Raises:
            SetupError: it does not tell.

        """
        found = [_run(one, self.stack) for one in self._told(release)]
        return schedules.in_order(found)

    def run_now(self, release: Release, schedule: Schedule, asked: Asked) -> int:
        """Have the scheduler run a schedule, and return the exit code of its command.

        Raises:
            RefusedError: the run before is still on its way, or the scheduler is about to end.
            SetupError: the scheduler does not answer.
            HostUnreachable: the connection to the engine was lost; the run goes on.
            Interrupted: Ctrl-C; the run goes on.

        """
        name, run = self._container(release), uuid.uuid4().hex[:12]
        schedules.require_free(schedule, self.runs(release))
        with _said_clearly(f"container {name}", NOT_STARTED):
            job = str(self.api.exec_create(name, list(place.command("run", schedule.name, run)))["Id"])
            output = attached.output(self.api.exec_start(job, socket=True))
        _stream(name, output, asked)
        with _said_clearly(f"container {name}"):
            code = self._code(job)
        told = next((one for one in self._told(release) if one["id"] == run), None)
        if told is None and code == place.REFUSED:
            raise schedules.refused(schedule, f"container {name}", "the scheduler has said why")
        if told is None or code is None:
            raise SetupError(
                f"nobody knows how the run of {schedule.name} ended",
                where=f"container {name}",
                consequence="what it has changed stays changed",
                fix="see its log: curtainup logs --process scheduler",
            )
        if told["outcome"] in {TIMED_OUT, CUT_OFF}:
            asked.say(f"{told['outcome']}: {told['why']}")
        return code

    def _told(self, release: Release) -> list[dict[str, Any]]:
        name = self._container(release)
        with _said_clearly(f"container {name}"):
            job = str(self.api.exec_create(name, list(place.command("runs")))["Id"])
            output = attached.output(self.api.exec_start(job, socket=True), ANSWER)
            try:
                pieces = list(_lossless(name, output))
            except Late:
                raise _untold(name, f"it has not answered within {ANSWER:g} s") from None
            code = self._code(job)
        if code == 0:
            found: list[dict[str, Any]] = json.loads(
                b"".join(one for is_error, one in pieces if not is_error)
            )
            return found
        said = b"".join(one for _, one in pieces)
        raise _untold(name, said.decode(errors="replace").strip())

    def _code(self, job: str) -> int | None:
        """Return the exit code of what has closed its output just before its end; None if it does not end."""
        end = time.monotonic() + ANSWER
        while (code := attached.exit_code_of(self.api, job)) is None and time.monotonic() < end:
            time.sleep(LOOK)
        return code

    def _container(self, release: Release) -> str:
        [process] = [one for one in processes_of(release.settings) if is_scheduler(one)]
        return container(self.stack, process, 1, release.id)


class HasSchedules(Target, RunsSchedules):
    """A target whose releases have schedules."""

    def require_schedules(self) -> None:
        """Check that no volume of somebody else has the name of the one that remembers what has run.

        Raises:
            RefusedError: one does.

        """
        if self.config.schedule:
            own = {SERVICE: self._session.service.config.name, ENVIRONMENT: self.name}
            self._schedules.require_volume(own)

    def schedule_runs(self, release: Release) -> list[ScheduleRun]:
        """Return the runs that the scheduler remembers."""
        return self._schedules.runs(release)

    def run_schedule(self, release: Release, schedule: Schedule, asked: Asked) -> int:
        """Have the scheduler run a schedule now."""
        return self._schedules.run_now(release, schedule, asked)

    @property
    def _schedules(self) -> DockerSchedules:
        return DockerSchedules(self._session.accounts.docker.api, self.environment.stack)


def _run(told: Mapping[str, Any], stack: str) -> ScheduleRun:
    times = {name: datetime.fromisoformat(told[name]) for name in ("due", "started", "ended") if told[name]}
    return ScheduleRun(
        schedule=told["schedule"],
        due=times.get("due"),
        started=times.get("started"),
        ended=times.get("ended"),
        outcome=told["outcome"],
        exit_code=told["exit_code"],
        place=f"container {resource(stack, place.NAME, '1')}-{told['release']}",
        why=told["why"],
    )


def _untold(name: str, why: str) -> SetupError:
    return SetupError(
        "the scheduler does not tell what has run",
        where=f"container {name}",
        consequence=UNKNOWN,
        fix="see its log: curtainup logs --process scheduler",
        detail=why or None,
    )


def _stream(name: str, output: Iterator[tuple[bool, bytes]], asked: Asked) -> None:
    """Pass on what a run writes, until it ends; nobody may read it any more."""
    try:
        for is_error, piece in _lossless(name, output):
            with suppress(BrokenPipeError):
                asked.terminal.write(piece, to_stderr=is_error)
    except KeyboardInterrupt:
        raise Interrupted("interrupted", where=f"container {name}", consequence="the run goes on") from None


def _lossless(name: str, output: Iterator[tuple[bool, bytes]]) -> Iterator[tuple[bool, bytes]]:
    """Give what a process in a container writes; raises HostUnreachable if the connection breaks."""
    try:
        yield from output
    except Lost as error:
        raise HostUnreachable(
            "the connection to the Docker engine was lost while it told of a schedule",
            where=f"container {name}",
            consequence="a run that was on its way goes on",
            fix="curtainup status shows how it ends",
            detail=str(error),
        ) from error


def _said_clearly(where: str, consequence: str = UNKNOWN) -> AbstractContextManager[None]:
    return errors.translated(
        "the Docker engine does not tell of the schedules", where=where, consequence=consequence
    )
