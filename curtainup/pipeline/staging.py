"""Bringing an image to an environment whose traffic needs no protection: staging, or a review's."""

from __future__ import annotations

import time

from curtainup.environments.rollout import Rollout
from curtainup.model import release
from curtainup.model.release import Release
from curtainup.pipeline import start as starting
from curtainup.pipeline.context import RunContext
from curtainup.pipeline.image_steps import AnyImage
from curtainup.pipeline.run.steps import Progress
from curtainup.pipeline.start import wait_until_healthy


def to(context: RunContext, rollout: Rollout, image: AnyImage, *, prove: bool = True) -> Release:
    """Bring an image to an environment: one update adds the release and gives it the traffic.

    Where there are tasks these are two, and the tasks are run in between.

    Args:
        context: of the run.
        rollout: the environment; it is made what it was before when a step fails.
        image: in its registry.
        prove: whether to run the environment's gate.

    Raises:
        CurtainupError: a step failed.

    """
    switch, steps, name = context.switch, context.steps, rollout.name
    before = rollout.deployment
    new = rollout.new_release(image.reference, image.version)

    staged = release.stage(before, new, rollout.keep)

    def stage(progress: Progress) -> None:
        rollout.seal(new)
        rollout.apply(staged, progress.say)

    def shift(progress: Progress) -> None:
        rollout.seal(new)
        rollout.apply(release.shift(staged, new.id), progress.say)
        wait_until_healthy(rollout, new, progress)

    def deploy() -> None:
        if rollout.config.tasks:
            title = f"start the release on {name}, without traffic"
            starting.start(context, rollout, new, starting.Update(f"{name}-stage", title, stage))
        steps.run(name, f"deploy to {name}", shift)

    try:
        if prove:
            with switch.gated(name, rollout, new, image.runnable) as gate:
                deploy()
                steps.run(f"{name}-gate", f"acceptance tests on {name}", gate)
        else:
            deploy()
    except BaseException as error:
        switch.undo(f"{name}-undo", f"put {name} back", rollout, before, error)
        raise
    switch.retire(f"{name}-retire", rollout, time.monotonic())
    return new


def judge(context: RunContext, rollout: Rollout, one: Release, image: str) -> None:
    """Run an environment's gate on the release that serves there."""
    with context.switch.gated(rollout.name, rollout, one, image) as gate:
        context.steps.run(f"{rollout.name}-gate", f"acceptance tests on {rollout.name}", gate)
