"""What a deployment is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from curtainup.model.names import LIVE, STAGING
from curtainup.pipeline.canary import Canary

if TYPE_CHECKING:
    from curtainup.pipeline.plan.plan import Plan

HELD_AT: Final = "candidate-gate"
UNTIL: Final = ("unit", "build", "local", "push", "staging", "staging-gate", HELD_AT)
"""The steps after which a deployment can stop, in their order."""


@dataclass(frozen=True)
class Options:
    """What a deployment is asked for.

    Attributes:
        dirty: deploy uncommitted changes of tracked files.
        python: the interpreter for the service's tests.
        allow_replace: accept changes of an environment that interrupt its traffic.
        arguments: further arguments for pytest at each gate.
        image: an image that was built elsewhere; None builds one.
        until: the step after which to stop, one of `UNTIL`; None goes on to the end.
        only: the one environment to deploy to; None is all of them.
        replace_candidate: drop a candidate that is held.
        canary: in place of the configured one.
        plan: what the deployment has to keep to; None is anything.

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
    plan: Plan | None = None

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
        """Return whether a step of `UNTIL` is among those to be done."""
        return self.until is None or UNTIL.index(step) <= UNTIL.index(self.until)
