"""What the steps of one run work with."""

from __future__ import annotations

from dataclasses import dataclass

from curtainup.environments.rollout import Rollout
from curtainup.model.release import Release
from curtainup.pipeline.gatekeeper import Gatekeeper
from curtainup.pipeline.plan.guard import Guard
from curtainup.pipeline.run.record import Recorder
from curtainup.pipeline.run.steps import Steps
from curtainup.session import Session


@dataclass(frozen=True)
class RunContext:
    """The collaborators of one run: record, steps, gates, and what guards updates."""

    session: Session
    recorder: Recorder
    steps: Steps
    gatekeeper: Gatekeeper
    guard: Guard

    @classmethod
    def of(
        cls,
        session: Session,
        recorder: Recorder,
        python: str | None,
        arguments: tuple[str, ...] = (),
        guard: Guard | None = None,
    ) -> RunContext:
        """Return the collaborators of a run.

        Args:
            session: the command's.
            recorder: of this run.
            python: the interpreter for the service's tests; None finds it.
            arguments: further arguments for pytest at each gate.
            guard: of its updates; None allows nothing dangerous.

        """
        steps = Steps(session.run.report, recorder, session.run.cancelled)
        gatekeeper = Gatekeeper(session, recorder, python, arguments)
        return cls(session, recorder, steps, gatekeeper, guard or Guard())

    def rollout(self, name: str) -> Rollout:
        """Return an environment whose updates are guarded."""
        return Rollout(self.session, name, self.guard)

    def tell_unchanged(self, serving: Release) -> None:
        """Say that nothing had to be deployed, and what serves."""
        self.session.run.report.info(
            f"unchanged: {serving.version} serves as {serving.id}; nothing had to move"
        )
