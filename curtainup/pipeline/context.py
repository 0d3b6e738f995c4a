"""The collaborators that the steps of one run share."""

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
    """The collaborators of one run: its record, its steps, its gates, and the guard of its updates."""

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
            session: the command's session.
            recorder: keeps the record of this run.
            python: the interpreter for the service's tests; None makes curtainup find it.
            arguments: further arguments for pytest at each gate.
            guard: checks each update; None allows nothing dangerous.

        """
        steps = Steps(session.run.report, recorder, session.run.cancelled)
        gatekeeper = Gatekeeper(session, recorder, python, arguments)
        return cls(session, recorder, steps, gatekeeper, guard or Guard())

    def rollout(self, name: str) -> Rollout:
        """Return an environment whose updates the guard checks."""
        return Rollout(self.session, name, self.guard)

    def tell_unchanged(self, serving: Release) -> None:
        """Say that there was nothing to deploy, and which release serves."""
        self.session.run.report.info(
            f"unchanged: {serving.version} serves as {serving.id}; nothing had to move"
        )
