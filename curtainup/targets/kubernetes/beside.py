"""What runs beside the service on a cluster as a Job, or in one of its pods: tasks and commands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from curtainup.model.targets.kubernetes import CONTAINER
from curtainup.platforms.docker.labels import EXEC, TASK
from curtainup.targets import command
from curtainup.targets.kubernetes import inside, jobs, tasks
from curtainup.targets.kubernetes.processes import HasProcesses
from curtainup.targets.runs import EndsCommands, EndsTasks, Executes, RunsTasks

if TYPE_CHECKING:
    from curtainup.config.tasks import Task
    from curtainup.model.process import Process
    from curtainup.model.release import Release
    from curtainup.targets.command import Asked
    from curtainup.targets.task_result import Ran


class RunsJobs(HasProcesses, RunsTasks, Executes, EndsCommands, EndsTasks):
    """A target that runs tasks and commands as Jobs, made as the pods of a release or a process are."""

    def run_task(self, release: Release, task: Task, on_line: Callable[[str], None]) -> Ran:
        """Run a task as a Job, made as the release's pods are."""
        return self._run_job(self._place_like(release, TASK), task, on_line)

    def end_tasks(self) -> None:
        """End the Jobs of tasks that a run which was killed has left."""
        self._end_jobs(TASK)

    def no_command(self, release: Release, *, attach: bool) -> None:
        """Return None: a Job can always be made, and a pod that runs be entered."""

    def execute(self, release: Release, asked: Asked) -> int:
        """Run a command as a Job made as the pods of the release or of a process are, or in one of these."""
        space, process = self._space, asked.process
        if asked.attach:
            there = space.pods(release.id) if process is None else self.copy(release, process, asked.number)
            return inside.run(space, there, asked)
        place = (
            self._place_like(release, EXEC) if process is None else self._place_like_process(release, process)
        )

        def run(_release: Release, task: Task, on_line: Callable[[str], None]) -> Ran:
            return self._run_job(place, task, on_line)

        return command.as_task(asked, release, run)

    def end_commands(self, is_over: Callable[[str], bool]) -> None:
        """End the Jobs of all commands if all are over; else each ends by its own bound."""
        if is_over(""):
            self._end_jobs(EXEC)

    def _place_like(self, release: Release, mark: str) -> jobs.Place:
        """Return where Jobs run that are made as the pods of a release are."""
        space = self._space
        return jobs.Place(
            space.settings.namespace,
            space.settings.workload(release.id),
            CONTAINER,
            space.labels,
            self._session.run.id,
            self.config.stop_timeout,
            self.node_seconds() > 0,
            mark,
        )

    def _place_like_process(self, release: Release, process: Process) -> jobs.Place:
        """Return where commands run that are made as the pods of a release's process are."""
        return replace(
            self._place_like(release, EXEC),
            deployment=self._space.settings.process_workload(process.name),
            grace=process.stop_timeout,
            process=process.name,
            release=release.id,
        )

    def _run_job(self, place: jobs.Place, task: Task, on_line: Callable[[str], None]) -> Ran:
        run = self._session.run
        return tasks.run(self._cluster, place, task, tasks.Means(run.cancelled, on_line, run.report.warn))

    def _end_jobs(self, mark: str) -> None:
        space = self._space
        jobs.end(self._cluster, space.settings.namespace, space.labels, self._session.run.cancelled, mark)
