"""The tasks of the local gate: they run before the image is tested on this machine.

Without them, the acceptance tests of a release that needs its own migration would fail there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from curtainup.config.tasks import Task
from curtainup.model.release import Release, release_id
from curtainup.pipeline import local_container
from curtainup.pipeline.context import RunContext
from curtainup.pipeline.run.steps import Progress
from curtainup.pipeline.tasks import run_all
from curtainup.platforms.docker.labels import ENVIRONMENT, LOCAL, LOCK, SERVICE
from curtainup.session import Session
from curtainup.targets.docker import tasks as docker_host
from curtainup.targets.task_result import Ran


def run(context: RunContext, image: str, version: str) -> None:
    """Run the tasks of the local gate in an image; without tasks no step begins.

    Raises:
        TaskFailed: a task failed or took too long; the tasks after it did not run.

    """
    tasks = context.session.service.local.tasks
    if not tasks:
        return
    place, settings = _Local(context.session), local_container.settings_of(context.session)
    release = Release(
        id=release_id(image, settings, ""),
        version=version,
        image=image,
        settings=settings,
    )

    def work(progress: Progress) -> None:
        place.end_tasks()
        run_all(context, place, release, tasks, progress)

    context.steps.run("local-tasks", "run tasks for the local gate", work)


@dataclass(frozen=True)
class _Local:
    """The machine on which the image is tested before it is pushed."""

    session: Session
    name: str = LOCAL

    def run_task(self, release: Release, task: Task, on_line: Callable[[str], None]) -> Ran:
        """Run a task in a container as the local gate's."""
        session = self.session
        return docker_host.run(
            session.accounts.builder.client,
            self._place,
            release,
            task,
            session.service.local_secrets,
            on_line=on_line,
            cancel=session.run.cancelled,
        )

    def end_tasks(self) -> None:
        """Remove the containers of tasks that a run which was killed has left."""
        docker_host.end(self.session.accounts.builder.client, self._place.labels)

    @property
    def _place(self) -> docker_host.Place:
        service = self.session.service.config.name
        labels = {SERVICE: service, ENVIRONMENT: self.name, LOCK: self.session.lock_name}
        return docker_host.Place(f"{service}-{self.name}", labels, run=self.session.run.id)
