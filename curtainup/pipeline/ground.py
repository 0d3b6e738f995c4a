"""Laying the ground of environments, before the image is built.

APIs that are enabled, and rights that are granted, take minutes to take effect. A release that needs them
sooner fails. So what releases stand on is made first, and takes effect while the image is built and tested.
"""

from __future__ import annotations

from collections.abc import Iterable

from curtainup.environments.rollout import Rollout
from curtainup.pipeline.run.steps import Steps


def lay(steps: Steps, rollouts: Iterable[Rollout]) -> None:
    """Lay the ground of each environment that lacks some of it, as a step of the run.

    Nothing is undone if a later step fails: what is there serves nobody, costs nothing, and lets the next
    deployment begin without the wait.

    Raises:
        CurtainupError: an update failed.

    """
    for one in rollouts:
        if one.lacks_ground:
            _lay(steps, one)


def _lay(steps: Steps, one: Rollout) -> None:
    title = f"make what releases on {one.name} stand on"
    steps.run(f"{one.name}-ground", title, lambda progress: one.lay_ground(progress.say))
