"""Carrying out transitions: each act is a step of the run, and a failure is undone as the plan says."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from threading import Event

from curtainup.environments import opening
from curtainup.environments.rollout import Rollout
from curtainup.errors import CanaryPaused, CandidateGateFailed
from curtainup.gates.tally import ProbeResult
from curtainup.pipeline import traffic, undoing
from curtainup.pipeline.coming import brought
from curtainup.pipeline.context import RunContext
from curtainup.pipeline.gate import gate_of
from curtainup.pipeline.processes import GivenUp, await_processes
from curtainup.pipeline.run.steps import Progress
from curtainup.pipeline.tasks import run_tasks
from curtainup.pipeline.traffic import Watch
from curtainup.pipeline.transition import (
    CANDIDATE,
    Act,
    Await,
    AwaitProcesses,
    Judge,
    PutBack,
    Retire,
    RunTasks,
    Step,
    Transition,
    Update,
    first_act,
    instead,
    is_watched,
)
from curtainup.util.beside import GoOn, beside

LOOK = 0.5
"""Seconds between two looks at the probe, while the old release may get requests."""


def _nothing(_environment: str) -> None:
    """Let an environment be touched."""


class Executor:
    """Carries out the transitions of one run, one after another."""

    def __init__(self, context: RunContext, rollouts: Mapping[str, Rollout]) -> None:
        """Prepare to carry out transitions.

        Args:
            context: the collaborators of the run.
            rollouts: the environments that the transitions may name.

        """
        self._context = context
        self._rollouts = rollouts

    def carry_out(
        self, transitions: Sequence[Transition], before: Callable[[str], None] = _nothing
    ) -> tuple[Transition, ...]:
        """Carry out transitions in turn, and return them as they were: a release may have got another id.

        Args:
            transitions: what to do.
            before: called with the name of each environment right before it is touched; may refuse that.

        Raises:
            RefusedError: the plan allows something else; nothing has changed.
            CurtainupError: a step failed; its transition is undone, and later transitions did not begin.
            ReturnFailed: the transition could not be undone.

        """
        for one in transitions:
            self._context.guard.require_planned(self._rollouts[one.environment], one.release)
        moved_at, todo, done = time.monotonic(), [*transitions], list[Transition]()
        while todo:
            one = todo.pop(0)
            if not done or done[-1].environment != one.environment:
                before(one.environment)
            this = _OneTransition(self._context, self._rollouts[one.environment], one, moved_at)
            moved_at = this.carry_out()
            done.append(this.transition)
            todo = [instead(later, one.release.id, this.transition.release) for later in todo]
        return tuple(done)


class _OneTransition:
    """One transition while it is carried out.

    Attributes:
        transition: what is carried out; about another release once the planned one came too early.
        moved_at: the monotonic time at which traffic last moved.

    """

    def __init__(
        self, context: RunContext, rollout: Rollout, transition: Transition, moved_at: float
    ) -> None:
        self._context = context
        self._rollout = rollout
        self.transition = transition
        self._watch: Watch | None = None
        self._has_moved = False
        self._prove: Callable[[], None] = lambda: None
        self._under_way = ExitStack()
        self._has_failed = Event()
        self._are_awaited = False
        self.moved_at = moved_at

    def carry_out(self) -> float:
        try:
            self._warm()
            with self._watched(), self._under_way:
                for number in range(len(self.transition.acts)):
                    act, *following = self.transition.acts[number:]
                    self._do(act, following[0] if following else None)
        except CanaryPaused:
            undoing.pause(self._context, self._rollout, self.transition, self._watch)
            raise
        except BaseException as error:
            undoing.undo(self._context, self._rollout, self.transition, self._watch, error)
            raise
        return self.moved_at

    # Acts

    def _do(self, act: Act, following: Act | None) -> None:
        """Carry out an act as a step; tasks start their own step.

        An update whose release is judged next goes on beside the gate, and so does the wait for the processes
        that it has started. Both are over before anything is undone.
        """
        if isinstance(act, RunTasks):
            run_tasks(self._context, self._rollout, self.transition.release)
        elif isinstance(act, Update):
            judged = isinstance(following, Judge) and not following.proven
            going = beside(lambda go_on: self._carry_on(act, go_on, judged=judged))
            if judged:
                self._under_way.enter_context(going)
                return
            with going:
                pass
        elif isinstance(act, AwaitProcesses):
            self._conclude(act)
        elif isinstance(act, Judge) and act.proven:
            self._context.steps.skip(act.step, act.title, act.proven)
        else:
            self._run(act, self._work(act))

    def _carry_on(self, act: Update, go_on: GoOn, *, judged: bool) -> None:
        """Update, and wait for the processes that came with it while the release is judged.

        Whichever of the two fails first ends the other.
        """
        self._run(act, lambda progress: self._update(act, progress, go_on))
        awaited = first_act(self.transition, AwaitProcesses)
        if not judged or awaited is None:
            return
        go_on()
        try:
            self._run(awaited, self._await_processes)
        except GivenUp:
            return
        except BaseException:
            self._has_failed.set()
            raise
        self._are_awaited = True

    def _conclude(self, act: AwaitProcesses) -> None:
        """Prove the release once its processes work, after its gate has passed."""
        self._under_way.close()
        if not self._are_awaited:
            self._run(act, self._await_processes)
        self._prove()

    def _run(self, act: Step, work: Callable[[Progress], None]) -> None:
        self._context.steps.run(act.step, act.title, work)

    def _work(self, act: Await | Judge | Retire | PutBack) -> Callable[[Progress], None]:
        if isinstance(act, Await):
            return lambda progress: self._await(act, progress)
        if isinstance(act, Judge):
            return lambda progress: self._judge(act, progress)
        if isinstance(act, Retire):
            return lambda progress: self._retire(act, progress)
        return lambda progress: self._put_back(act, progress)

    def _update(self, act: Update, progress: Progress, go_on: GoOn) -> None:
        rollout, release = self._rollout, self.transition.release
        if act.says:
            progress.say(act.says)
        if act.seals:
            rollout.seal(release)
        if act.holds is not None:
            rollout.hold(release.id if act.holds else "")
        if self._watch is not None and act.canary is not None:
            self._watch.move(act.deployments, progress, act.canary, lambda: self._moved(go_on))
            return
        number, warn = self.transition.acts.index(act), self._context.session.run.report.warn
        with brought(rollout, self.transition, number, progress.say, warn) as self.transition:
            self.moved_at = time.monotonic()
            if act.waits:
                self._note_answer(progress)
            go_on()

    def _moved(self, go_on: GoOn) -> None:
        self._has_moved, self.moved_at = True, time.monotonic()
        go_on()

    def _await(self, act: Await, progress: Progress) -> None:
        if act.renews:
            self._rollout.renew(self.transition.release)
        self._note_answer(progress)

    def _await_processes(self, progress: Progress) -> None:
        is_undone = self.transition.undo is not None
        await_processes(
            self._rollout, self.transition.release, progress, self._has_failed, is_undone=is_undone
        )

    def _note_answer(self, progress: Progress) -> None:
        seconds = self._rollout.wait_until_healthy(self.transition.release)
        progress.note = f"{self.transition.release.id} answered after {seconds:.1f} s"

    def _judge(self, act: Judge, progress: Progress) -> None:
        try:
            self._judge_release(act.gate, progress)
            if self._watch is not None:
                self._watch.require_clean()
        except BaseException as error:
            self._has_failed.set()
            if self._watch is not None:
                self._watch.give_up()
            if isinstance(error, CandidateGateFailed):
                error.consequence = act.consequence or error.consequence
            raise

    def _retire(self, act: Retire, progress: Progress) -> None:
        """Remove releases once they receive no more requests."""
        left = self._lingers()
        if left > 0:
            progress.say(f"waiting {left:.0f} s, because clients may remember the old address for that long")
            self._rollout.cancelled.wait(left)
        self._rollout.apply(act.deployment, progress.say)
        count = len(act.gone)
        progress.note = f"{count} release{'s' * (count != 1)} without traffic, billed until now"

    def _put_back(self, act: PutBack, progress: Progress) -> None:
        self._rollout.put_back(act.deployment, self._context.session.run.report.warn)
        release = self.transition.release
        progress.note = f"{release.version} ({release.id}) is gone"

    def _judge_release(self, name: str, progress: Progress) -> None:
        rollout, one = self._rollout, self.transition
        gate = gate_of(self._context.session, name, rollout, one.release)
        if gate is None:
            raise RuntimeError(f"{rollout.name} has no URL after its update")
        if one.undo is not None and one.undo.deployment.serving() is None:
            opening.wait(rollout, progress.say, rollout.cancelled)
        elif name != CANDIDATE and first_act(one, Update) and not rollout.spec.names_releases:
            self._await_followed(progress)
        with rollout.reachable(gate.url) as door:
            inside = replace(gate, door=door)
            self._prove = self._context.gatekeeper.judge(
                inside, progress, one.image, self._watch, self._has_failed
            )
        if first_act(one, AwaitProcesses) is None:
            self._prove()

    def _await_followed(self, progress: Progress) -> None:
        """Wait until the old release gets no more requests, or the probe has seen that it gets them back."""
        watch = self._watch
        if self._lingers() > 0:
            progress.say(
                f"waiting {self._lingers():.0f} s, until no request comes to the old release any more"
            )
        while (left := self._lingers()) > 0 and (watch is None or watch.is_clean):
            if self._rollout.cancelled.wait(min(left, LOOK)):
                return

    def _lingers(self) -> float:
        """Return for how many seconds the old release may still get requests."""
        return self.moved_at + self._rollout.lingering - time.monotonic()

    # Preparations

    def _warm(self) -> None:
        """Let pytest be imported while the release starts."""
        act = first_act(self.transition, Judge)
        if act is not None and not act.proven:
            self._context.gatekeeper.warm(self.transition.image)

    @contextmanager
    def _watched(self) -> Iterator[None]:
        """Let the probe watch from before traffic moves until the gate has passed, if the plan says so."""
        if not is_watched(self.transition):
            yield
            return
        incoming, measured = self.transition.release.id, self._context.recorder.measured
        with traffic.watched(self._rollout, incoming, self._figures, measured) as self._watch:
            yield

    def _figures(self, result: ProbeResult) -> None:
        recorder, undo = self._context.recorder, self.transition.undo
        recorder.probe(result)
        if self._has_moved:
            serving = undo.deployment.serving() if undo else None
            release = self.transition.release.id
            recorder.moved(self._rollout.name, serving.id if serving else None, release)
