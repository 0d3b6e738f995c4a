"""What the steps of one run work with."""

from __future__ import annotations

from dataclasses import dataclass

from curtainup.model.release import Release
from curtainup.pipeline.gatekeeper import Gatekeeper
from curtainup.pipeline.plan.guard import Guard
from curtainup.pipeline.run.record import Recorder
from curtainup.pipeline.run.steps import Steps
from curtainup.pipeline.switch import Switch
from curtainup.session import Session


@dataclass(frozen=True)
class RunContext:
    """The collaborators of one run: its record, its steps, its gates, and what moves traffic."""

    session: Session
    recorder: Recorder
    steps: Steps
    gatekeeper: Gatekeeper
    switch: Switch

    @classmethod
    def of(
        cls,
        session: Session,
        recorder: Recorder,
        python: str | None,
        arguments: tuple[str, ...] = (),
        guard: Guard | None = None,
    ) -> RunContext:
        """Return the collaborators of a run, whose updates are guarded from now on.

        Args:
            session: the command's.
            recorder: of this run.
            python: the interpreter for the service's tests; None finds it.
            arguments: further arguments for pytest at each gate.
            guard: of its updates; None allows nothing dangerous.

        """
        session.guard = guard or Guard()
        steps = Steps(session.report, recorder, session.cancelled)
        gatekeeper = Gatekeeper(session, recorder, python, arguments)
        return cls(session, recorder, steps, gatekeeper, Switch(session, recorder, steps, gatekeeper))

    def tell_unchanged(self, serving: Release) -> None:
        """Say that nothing had to be deployed, and what serves."""
        self.session.report.info(f"unchanged: {serving.version} serves as {serving.id}; nothing had to move")
