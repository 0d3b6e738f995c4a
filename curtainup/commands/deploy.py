"""`deploy`: from source to live. It stops at the first failure and undoes what it had begun.

    unit tests ─┐
    build ──────┴─ local gate ─ push ─ staging ─ staging gate ─ stage ─ candidate gate ─ shift ─ live gate

An environment's tasks run after its release is staged and before the release has traffic.
Live's traffic stays where it is until the candidate has passed its gate. If the shift or the live gate
fails, the last proven release gets the traffic back.
"""

from __future__ import annotations

from curtainup.environments import complaints
from curtainup.environments.both import prepare
from curtainup.environments.rollout import Rollout
from curtainup.errors import RefusedError
from curtainup.model.names import LIVE, STAGING
from curtainup.model.release import Release
from curtainup.pipeline import (
    accessories,
    canary,
    four_eyes,
    freeze,
    ground,
    image_steps,
    local_schedules,
    measuring,
    planner,
)
from curtainup.pipeline.context import RunContext
from curtainup.pipeline.executor import Executor
from curtainup.pipeline.image_steps import AnyImage
from curtainup.pipeline.options import Options
from curtainup.pipeline.plan.guard import Guard
from curtainup.pipeline.result import Result
from curtainup.pipeline.run.record import Recorder
from curtainup.pipeline.transition import Transition
from curtainup.session import Session


def deploy(session: Session, recorder: Recorder, options: Options) -> Result:
    """Take a service from source to live, or up to the step that the options name.

    Raises:
        CurtainupError: a step failed; what it had begun has been undone.

    """
    guard = Guard(options.plan, options.allow_replace)
    context = RunContext.of(session, recorder, options.python, options.arguments, guard)
    return _Deploy(context, options, guard).run()


class _Deploy:
    def __init__(self, context: RunContext, options: Options, guard: Guard) -> None:
        self._context = context
        self._options = options
        self._guard = guard
        self._images = image_steps.steps_of(context, options)
        self._staging = context.rollout(STAGING)
        self._live = context.rollout(LIVE)
        self._canary = canary.asked(self._live.config, options.canary, metrics=options.metrics)
        self._rollouts = [
            rollout for rollout in (self._staging, self._live) if rollout.name in options.environments
        ]
        self._executor = Executor(context, {STAGING: self._staging, LIVE: self._live})

    def run(self) -> Result:
        for one in self._rollouts:
            one.tell_of_maintenance()
        planner.require_splits(self._live, self._options.canary)
        image = self._images.look()
        self._require_no_other_candidate(image)
        serving = self._unchanged(image)
        if serving is not None:
            return self._keep(serving, image)
        if self._live in self._rollouts:
            four_eyes.require_hold(self._context.session, self._options)
            self._require_open(freeze.NOT_BEGUN)
        if self._live in self._rollouts and not self._options.hold:
            measuring.require_ready(self._live, self._canary)
        prepare(self._live, self._staging, allow_replace=self._options.allow_replace)
        with complaints.asked(self._rollouts):
            for one in self._rollouts:
                one.require_rendered()
            for one in self._rollouts:
                self._guard.require_unmoved(one)
        if self._options.only == LIVE:
            self._require_staged(image)
            local_schedules.check(self._context, image)
        accessories.see_to(self._context, self._needing_accessories())
        ground.lay(self._context.steps, self._rollouts)
        if self._options.only != LIVE:
            image = self._images.prove(image)
            if not self._options.reaches("push"):
                return self._stopped(image)
            image = self._images.push(image)
        self._context.recorder.image(image.image_id, image.reference)
        transitions = self._planned(image)
        done = self._executor.carry_out(transitions, self._before)
        return self._result(done[-1].release) if done else self._stopped(image)

    def _needing_accessories(self) -> list[Rollout]:
        """Return the environments whose releases come, and staging for the local gate, which uses its own."""
        options = self._options
        is_tested = options.only != LIVE and options.reaches("local")
        further = [self._staging] if is_tested and self._staging not in self._rollouts else []
        return [*further, *self._rollouts]

    def _planned(self, image: AnyImage) -> tuple[Transition, ...]:
        """Return the transitions that deploy the image to each environment, in order."""
        options = self._options
        wanted = [(one, one.new_release(image.reference, image.version)) for one in self._rollouts]
        return planner.deployment(
            wanted,
            image.runnable,
            self._context.recorder.is_proved,
            prove=options.reaches("staging-gate"),
            hold=options.hold,
            canary=self._canary,
        )

    def _before(self, environment: str) -> None:
        """Check once more before live is touched: a freeze may have begun since the run did."""
        if environment == LIVE:
            self._require_open(freeze.NOT_TOUCHED)

    # Refusals before anything changes

    def _require_open(self, consequence: str) -> None:
        freeze.require_open(self._context, self._live, self._options.during_freeze, consequence)

    def _require_no_other_candidate(self, image: AnyImage) -> None:
        """Refuse to drop a held candidate without --replace-candidate."""
        held = self._live.environment.held
        if not held or self._live not in self._rollouts or self._options.replace_candidate:
            return
        if image.reference and self._live.release_id(image.reference) == held:
            return
        one, share = self._live.deployment.find(held), self._live.deployment.traffic.get(held)
        has = f"has {share} % of live's traffic, as its canary is paused" if share else ""
        raise RefusedError(
            f"{one.version if one else held} ({held}) {has or 'is held as the candidate of live'}",
            where=f"stack {self._live.environment.stack}",
            consequence="another candidate would take its place, so nothing was built or changed",
            fix="curtainup promote, or drop it: curtainup promote --discard, or deploy --replace-candidate",
        )

    def _require_staged(self, image: AnyImage) -> None:
        """Refuse an image that staging does not serve, or whose processes have ended there.

        If this machine has no proof, run the staging gate.
        """
        rollout = self._staging
        serving = rollout.deployment.serving()
        if not image.reference or serving is None or serving.image != image.reference:
            raise RefusedError(
                f"{image.version} is not on staging",
                where=f"staging serves {serving.version if serving else 'nothing'}",
                consequence="live takes only what staging has proven, so nothing was done",
                fix="curtainup deploy --only staging",
            )
        is_proved = self._context.recorder.is_proved
        self._executor.carry_out(planner.kept(rollout, serving, image.runnable, is_proved))

    # Nothing to do

    def _unchanged(self, image: AnyImage) -> Release | None:
        """Return the release that serves, if this source and configuration would give the same release."""
        if not image.reference or not self._rollouts:
            return None
        if any(one.has_other_settings() for one in self._rollouts):
            return None
        if not all(_serves(one, image) for one in self._rollouts):
            return None
        last = self._rollouts[-1]
        serving = last.deployment.serving()
        return serving if serving is not None and last.answering() == serving.id else None

    def _keep(self, serving: Release, image: AnyImage) -> Result:
        """Leave everything as it is, but put right what a run that was cut off or somebody's hand has left.

        If a run left the release without a proof, run the gate. Processes that are not well fail the run.
        """
        context, rollout = self._context, self._rollouts[-1]
        accessories.see_to(context, self._rollouts)
        for one in self._rollouts:
            there = one.deployment.serving()
            if there is not None and (one.was_cut_off or one.has_lost or one.is_moving):
                self._executor.carry_out(planner.settled(one, there))
        is_proved = context.recorder.is_proved
        self._executor.carry_out(planner.kept(rollout, serving, image.runnable, is_proved))
        context.tell_unchanged(serving)
        return self._at(rollout, serving, changed=False)

    # Results

    def _result(self, new: Release) -> Result:
        """Return the result of a run that has changed an environment."""
        rollout = self._rollouts[-1]
        if self._options.hold:
            return Result(rollout.release_url(new), new.version, new.id, changed=True, held=True)
        return self._at(rollout, new, changed=True)

    def _at(self, rollout: Rollout, release: Release, *, changed: bool) -> Result:
        stopped = self._options.until if changed and rollout is not self._live else None
        return Result(rollout.environment.url, release.version, release.id, changed=changed, until=stopped)

    def _stopped(self, image: AnyImage) -> Result:
        return Result("", image.version, "", changed=True, until=self._options.until, image=image.runnable)


def _serves(rollout: Rollout, image: AnyImage) -> bool:
    """Return whether all traffic of an environment goes to the release that this image would be there."""
    return rollout.is_current and rollout.deployment.traffic.get(rollout.release_id(image.reference)) == 100
