"""The options of a deployment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from curtainup.model.names import LIVE, STAGING
from curtainup.pipeline.canary import Canary

if TYPE_CHECKING:
    from curtainup.pipeline.plan.plan import Plan

HELD_AT: Final = "candidate-gate"
UNTIL: Final = ("unit", "build", "local", "push", "staging", "staging-gate", HELD_AT)
"""The steps after which a deployment can stop, in order."""


@dataclass(frozen=True)
class Options:
    """The options of a deployment.

    Attributes:
        dirty: whether to deploy uncommitted changes of tracked files.
        python: the interpreter for the service's tests.
        allow_replace: whether to allow changes that replace or remove what holds data or traffic.
        arguments: further arguments for pytest at each gate.
        image: an image that was built elsewhere; None builds one.
        until: the step after which to stop, one of `UNTIL`; None runs all steps.
        only: the one environment to deploy to; None deploys to all of them.
        replace_candidate: whether to drop a candidate that is held.
        canary: replaces the configured canary, except its metrics.
        metrics: whether the configured metrics judge the canary.
        plan: the plan that the deployment keeps to; None sets no limit.
        take_over: whether the service may come from another repository than before.
        during_freeze: the reason to change live although it is frozen; None gives none.

    """

    dirty: bool = False
    python: str | None = None
    allow_replace: bool = False
    arguments: tuple[str, ...] = ()
    image: str | None = None
    until: str | None = None
    only: str | None = None
    replace_candidate: bool = False
    canary: Canary | None = None
    metrics: bool = True
    plan: Plan | None = None
    take_over: bool = False
    during_freeze: str | None = None

    @property
    def hold(self) -> bool:
        """Whether to stop with the candidate proven and without traffic."""
        return self.until == HELD_AT

    @property
    def environments(self) -> tuple[str, ...]:
        """The environments to deploy to, in turn."""
        wanted = (self.only,) if self.only else (STAGING, LIVE)
        return tuple(name for name in wanted if self.reaches(HELD_AT if name == LIVE else STAGING))

    def reaches(self, step: str) -> bool:
        """Return whether the deployment includes a step of `UNTIL`."""
        return self.until is None or UNTIL.index(step) <= UNTIL.index(self.until)
