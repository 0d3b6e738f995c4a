"""Starting a release without traffic: its tasks come after the update, before it is waited for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from curtainup.environments.rollout import Rollout
from curtainup.model.release import Release
from curtainup.pipeline.context import RunContext
from curtainup.pipeline.run.steps import Progress
from curtainup.pipeline.tasks import run_tasks


@dataclass(frozen=True)
class Update:
    """The step that stages a release: its name, its title for people, and its work."""

    name: str
    title: str
    work: Callable[[Progress], None]


def wait_until_healthy(rollout: Rollout, one: Release, progress: Progress) -> None:
    """Wait until a release answers on its own URL, and note how long that took; see `Rollout`."""
    seconds = rollout.wait_until_healthy(one)
    progress.note = f"{one.id} answered after {seconds:.1f} s"


def start(context: RunContext, rollout: Rollout, new: Release, update: Update) -> None:
    """Stage a release, run its tasks, and wait until it is healthy.

    Waiting comes last: a release may need what its tasks do, and end until that is done. Without tasks all
    is one step.

    Raises:
        CurtainupError: a step failed; what was begun is for the caller to undo.

    """

    def both(progress: Progress) -> None:
        update.work(progress)
        wait_until_healthy(rollout, new, progress)

    def wait(progress: Progress) -> None:
        rollout.target.renew(rollout.environment, new)
        wait_until_healthy(rollout, new, progress)

    if not rollout.config.tasks:
        context.steps.run(update.name, update.title, both)
        return
    context.steps.run(update.name, update.title, update.work)
    run_tasks(context, rollout, new)
    context.steps.run(f"{rollout.name}-start", "wait until the new release answers", wait)
