"""Seeing to the accessories of environments, before the image is built.

Those that were never made are made, as a step of the run. Nothing is undone if a later step fails, as they
serve nobody yet. Those that are there are only looked at: no deployment changes or replaces one.
"""

from __future__ import annotations

from collections.abc import Iterable

from curtainup.engine.changes import UpdateGuard
from curtainup.environments.accessories import Accessories
from curtainup.environments.rollout import Rollout
from curtainup.model.accessories import AccessoriesSettings
from curtainup.pipeline.context import RunContext
from curtainup.pipeline.run.steps import Progress


def see_to(context: RunContext, rollouts: Iterable[Rollout]) -> None:
    """Make what is missing of each environment's accessories, and check that the others are well.

    Raises:
        AccessoryFailed: one is down, or does not become well.
        CurtainupError: one cannot be made.

    """
    found = [Accessories(context.session, one.name) for one in rollouts if one.config.accessories]
    for one in found:
        one.require_ready()
        _tell(context, one)
    for one in found:
        if one.missing:
            make(context, one)


def make(context: RunContext, one: Accessories) -> None:
    """Make what is missing, as a step of the run."""
    title = f"make {' and '.join(one.missing)} beside {one.environment}"

    def work(progress: Progress) -> None:
        missing = one.missing
        settings = one.to_make(missing)
        look_at(one, context.guard, settings)
        one.apply(settings, progress.say)
        progress.note = f"{', '.join(missing)} made, and well"

    context.steps.run(f"{one.environment}-accessories", title, work)


def look_at(one: Accessories, guard: UpdateGuard, settings: AccessoriesSettings) -> None:
    """Let the guard see what would be made, where it wants to.

    Raises:
        RefusedError: the plan does not hold it.

    """
    if guard.wants(changed=False):
        guard.check(one.stack, one.preview(settings).resources)


def _tell(context: RunContext, one: Accessories) -> None:
    """Tell which of those that are there are configured otherwise; none of them is touched."""
    warn, at = context.session.run.report.warn, f"--env {one.environment}"
    for name, keys in one.changed().items():
        warn(
            f"{name} of {one.environment} stays as it was made, with another {' and '.join(keys)} than in "
            f"pym-config.yaml: curtainup accessory up {name} {at} --allow-replace replaces its container, "
            "and keeps its volume"
        )
    for name in one.gone:
        warn(
            f"{name} of {one.environment} is not in pym-config.yaml any more, and stays with its data: "
            f"curtainup accessory remove {name} {at} --confirm {name} removes both"
        )
