"""Waiting for the processes of a release: each has to run for a while, or its health command to pass.

They start once the release has all traffic, so a process that ends at once fails the run like the gate of
live, and live goes back to the release before, with the processes of that one.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Final

from curtainup.environments.rollout import Rollout
from curtainup.errors import Interrupted, ProcessFailed
from curtainup.model.names import LIVE, STAGING
from curtainup.model.process import Process, processes_of
from curtainup.model.process_state import GONE, RUNNING, STARTING, ProcessState
from curtainup.model.release import Release
from curtainup.model.scheduler import is_scheduler
from curtainup.pipeline.run.steps import Progress
from curtainup.platforms import exits
from curtainup.targets.runs import RunsProcesses
from curtainup.util.crash import Explanation

LOOK: Final = 0.5
"""Seconds between two looks at most: one that is known to be healthy sooner is looked at then."""
SOON: Final = 0.05
AT_ONCE: Final = 4
"""How many health commands run at once."""


class GivenUp(Interrupted):
    """The release is judged by something else already."""


def await_processes(
    rollout: Rollout, release: Release, progress: Progress, given_up: Event, *, is_undone: bool
) -> None:
    """Wait until each process of a release is healthy; at once if all are.

    Args:
        rollout: the environment.
        release: the release that works there.
        progress: takes how many there are.
        given_up: ends the wait when set.
        is_undone: whether the environment is put back if one is not healthy.

    Raises:
        ProcessFailed: one ended, or was not healthy in `settle` and `start_timeout`.
        GivenUp: the wait was ended.
        Interrupted: the run was cancelled.
        CurtainupError: nobody tells how they are.

    """
    processes = {one.name: one for one in processes_of(release.settings)}
    if not isinstance(rollout.target, RunsProcesses):
        raise TypeError(f"{rollout.spec.name} runs no processes")
    waiting = _Waiting(rollout, rollout.target, release, processes, is_undone=is_undone)
    longest = max((one.settle for one in processes.values()), default=0)
    deadline = time.monotonic() + longest + rollout.config.start_timeout
    while left := waiting.look():
        if time.monotonic() > deadline:
            raise waiting.late(left[0])
        if given_up.is_set():
            raise GivenUp("processes were no longer waited for", where=rollout.name)
        if rollout.cancelled.wait(waiting.pause(left)):
            raise Interrupted("interrupted while processes started", where=rollout.name)
    count = sum(one.count for one in processes.values())
    progress.note = f"{count} process{'es' * (count != 1)} at work"


class _Waiting:
    """The wait for the processes of one release."""

    def __init__(
        self,
        rollout: Rollout,
        target: RunsProcesses,
        release: Release,
        processes: Mapping[str, Process],
        *,
        is_undone: bool,
    ) -> None:
        self._rollout = rollout
        self._is_undone = is_undone
        self._target = target
        self._release = release
        self._processes = processes
        self._healthy: set[tuple[str, int]] = set()
        self._trouble: dict[tuple[str, int], str] = {}

    def look(self) -> list[ProcessState]:
        """Return the copies that are not healthy yet; raises ProcessFailed for one that has ended."""
        found = self._target.process_states(self._release)
        for one in found:
            if one.state not in {RUNNING, STARTING} or self._has_just_ended(one):
                raise self._ended(one)
        with ThreadPoolExecutor(AT_ONCE) as pool:  # health commands may take seconds each
            healthy = list(pool.map(self._is_healthy, found))
        return [one for one, is_healthy in zip(found, healthy, strict=True) if not is_healthy]

    def pause(self, left: Sequence[ProcessState]) -> float:
        """Return for how many seconds none of some copies can be healthy; `LOOK` where nobody knows."""
        known = [self._processes[one.process].settle - one.seconds for one in left if self._settles(one)]
        return max(SOON, min([LOOK, *known]))

    def _settles(self, one: ProcessState) -> bool:
        return one.state == RUNNING and not self._processes[one.process].health

    def _has_just_ended(self, one: ProcessState) -> bool:
        return bool(one.restarts) and one.seconds < self._processes[one.process].settle

    def _is_healthy(self, one: ProcessState) -> bool:
        process, key = self._processes[one.process], (one.process, one.number)
        if one.state != RUNNING:
            return False
        if not process.health:
            return one.seconds >= process.settle
        if key not in self._healthy:
            trouble = self._target.process_trouble(self._release, process, one.number)
            if trouble is None:
                self._healthy.add(key)
            else:
                self._trouble[key] = trouble
        return key in self._healthy

    def late(self, one: ProcessState) -> ProcessFailed:
        """Return the error for a copy that was not healthy in time."""
        said = self._trouble.get((one.process, one.number))
        what = "its health command fails" if said else "it did not start"
        fix = "correct the command in `health`, or what it checks" if said else "read what it says below"
        log = self._log(one)
        return self._error(one, f"was not healthy in time: {what}", fix, f"{said}\n\n{log}" if said else log)

    def _ended(self, one: ProcessState) -> ProcessFailed:
        log = self._log(one)
        found = exits.explanation(log)
        why = found.line if found and found.raised else one.why
        times = f" and was started again ({one.restarts} times)" if one.restarts > 1 else ""
        if one.state == GONE:
            return self._error(one, "is gone", "curtainup deploy makes it again", log)
        what = f"ended{times}" + (f": {why}" if why else "")
        return self._error(one, what, self._fix(one, log, found), exits.excerpt(log, found))

    def _fix(self, one: ProcessState, log: str, found: Explanation | None) -> str:
        if is_scheduler(self._processes[one.process]):
            return (
                "it runs `schedule` with Python 3.10 or newer as python3, and writes to /var/tmp, so let the "
                "image have both; docs/schedules.md says more"
            )
        return exits.fix_of_process(log, found)

    def _log(self, one: ProcessState) -> str:
        return self._target.process_log(self._release, self._processes[one.process], one.number)

    def _error(self, one: ProcessState, what: str, fix: str, detail: str) -> ProcessFailed:
        name = self._rollout.name
        error = ProcessFailed(
            f"process {one.process} of {self._release.version} {what}",
            where=one.place,
            consequence=_consequence(name, is_undone=self._is_undone),
            fix=fix,
            detail=detail,
        )
        error.on_live = name == LIVE and self._is_undone
        return error


def _consequence(name: str, *, is_undone: bool) -> str:
    if not is_undone:
        left = f"{name} stays as it is, and its jobs may wait"
    elif name == LIVE:
        left = "live is put back to what it was before, with the processes that it had"
    else:
        left = f"{name} is put back to what it was before"
    return f"{left}; live is untouched" if name == STAGING else left
