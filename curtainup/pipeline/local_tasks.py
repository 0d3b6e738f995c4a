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
    place, release = _Local(context.session), release_of(context.session, image, version)

    def work(progress: Progress) -> None:
        place.end_tasks()
        run_all(context, place, release, tasks, progress)

    context.steps.run("local-tasks", "run tasks for the local gate", work)


def release_of(session: Session, image: str, version: str) -> Release:
    """Return the release that an image is at the local gate."""
    settings = local_container.settings_of(session)
    return Release(id=release_id(image, settings, ""), version=version, image=image, settings=settings)


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
            place_of(self.session),
            release,
            task,
            session.service.local_secrets,
            on_line=on_line,
            cancel=session.run.cancelled,
        )

    def end_tasks(self) -> None:
        """Remove the containers of tasks that a run which was killed has left."""
        docker_host.end(self.session.accounts.builder.client, place_of(self.session).labels)


def place_of(session: Session) -> docker_host.Place:
    """Return where the tasks of the local gate run: beside its container, on no environment's network."""
    service = session.service.config.name
    labels = {SERVICE: service, ENVIRONMENT: LOCAL, LOCK: session.lock_name}
    return docker_host.Place(f"{service}-{LOCAL}", labels, run=session.run.id)
