"""Running an environment's tasks: commands in a release's image, before the release gets traffic.

    stage the release, without traffic ─ its tasks in turn ─ wait until it is healthy ─ gate ─ traffic

docs/tasks.md says how each target runs tasks.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from curtainup.config.tasks import Task
from curtainup.environments.rollout import Rollout
from curtainup.errors import TaskFailed
from curtainup.model.release import Release
from curtainup.model.run import TaskRecord
from curtainup.pipeline.context import RunContext
from curtainup.pipeline.run.steps import Progress
from curtainup.targets.task_result import Ran
from curtainup.util import crash, durations
from curtainup.util.line_log import LineLog
from curtainup.util.process import Ended

FOLDER = "tasks"
"""The folder of the tasks' logs in a run's folder."""
CONSEQUENCES = {
    "local": "nothing was pushed; staging and live are as they were",
    "staging": "staging is put back to what it was before; live is untouched",
    "live": "the candidate never had traffic and is removed; live is as it was",
}


def run_tasks(context: RunContext, rollout: Rollout, release: Release) -> None:
    """Run an environment's tasks in the image of a release that is staged there without traffic.

    Without tasks no step begins.

    Raises:
        TaskFailed: a task failed or took too long; the tasks after it did not run.
        Interrupted: the run was cancelled.
        CurtainupError: the target could not run a task.

    """
    tasks = rollout.config.tasks
    if not tasks:
        return

    def work(progress: Progress) -> None:
        rollout.end_tasks()
        run_all(context, rollout, release, tasks, progress)

    context.steps.run(f"{rollout.name}-tasks", f"run tasks for {rollout.name}", work)


class RunsTasks(Protocol):
    """What runs a task in the image of a release."""

    @property
    def name(self) -> str:
        """The environment's name."""

    def run_task(self, release: Release, task: Task, on_line: Callable[[str], None]) -> Ran:
        """Run a task to its end."""


def run_all(
    context: RunContext, place: RunsTasks, release: Release, tasks: Sequence[Task], progress: Progress
) -> None:
    """Run tasks one after the other, and record each.

    Raises:
        TaskFailed: a task failed or took too long; the tasks after it did not run.

    """
    for task in tasks:
        _run_one(context, place, release, task, progress)
    progress.note = f"{len(tasks)} task{'s' * (len(tasks) != 1)}"


def _run_one(context: RunContext, rollout: RunsTasks, one: Release, task: Task, progress: Progress) -> None:
    recorder = context.recorder
    file = recorder.folder / FOLDER / f"{rollout.name}-{task.name}.log"
    progress.say(f"{task.name} begins")
    started = time.monotonic()
    ran: Ran | None = None
    file.parent.mkdir(parents=True, exist_ok=True)
    with LineLog(file, context.session.service.redact, _showing(progress, task)) as log:
        try:
            ran = rollout.run_task(one, task, log.add)
        finally:
            recorder.task(
                TaskRecord(
                    environment=rollout.name,
                    name=task.name,
                    release=one.id,
                    exit_code=ran.code if ran else None,
                    seconds=round(time.monotonic() - started, 3),
                    log=str(file.relative_to(recorder.folder)),
                )
            )
        if not ran.passed:
            raise _failure(rollout.name, task, ran, "\n".join(log.end) or "(it printed nothing)", file)


def _showing(progress: Progress, task: Task) -> Callable[[str], None]:
    return lambda line: progress.say(f"{task.name}: {line}" if line.strip() else "")


def _failure(environment: str, task: Task, ran: Ran, end: str, file: Path) -> TaskFailed:
    return TaskFailed(
        f"task {task.name} for {environment} {_how(task, ran, end)}",
        where=ran.place,
        consequence=CONSEQUENCES.get(environment, f"{environment} is put back to what it was before")
        + "; what the task has changed stays changed",
        fix=(f"{ran.fix}. " if ran.fix else "fix what its output says. ")
        + f"The next deploy runs all tasks again; the whole output is in {file}",
        detail=end,
    )


def _how(task: Task, ran: Ran, end: str) -> str:
    if ran.ended is Ended.TIMED_OUT:
        return f"was stopped, as it took longer than {durations.render(task.timeout)}"
    if ran.ended is Ended.STOPPED:
        return "was stopped"
    code = "" if ran.code is None else f" with exit code {ran.code}"
    found = crash.explanation(end)
    why = ran.why or (found.line if found and found.raised else "")
    return f"failed{code}" + (f": {why}" if why else "")
