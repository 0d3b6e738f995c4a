"""What becomes of an environment when its transition fails, or a canary's metrics say too little."""

from __future__ import annotations

from curtainup.environments.rollout import Rollout
from curtainup.errors import CurtainupError, ReturnDidNotHelp, ReturnFailed
from curtainup.model.names import LIVE
from curtainup.pipeline import returning
from curtainup.pipeline.context import RunContext
from curtainup.pipeline.run.steps import Progress
from curtainup.pipeline.traffic import Watch
from curtainup.pipeline.transition import PutBack, Transition


def pause(context: RunContext, rollout: Rollout, transition: Transition, watch: Watch | None) -> None:
    """Remember that the canary waits for somebody's decision; put live back if that fails. See `undo`."""
    release = transition.release

    def remember(progress: Progress) -> None:
        rollout.hold(release.id)
        rollout.apply(rollout.deployment, progress.say)
        progress.note = f"{release.version} ({release.id}) waits for curtainup promote or rollback"

    try:
        context.steps.run("pause", "leave the canary as it is", remember)
    except BaseException as error:
        undo(context, rollout, transition, watch, error)
        raise


def undo(
    context: RunContext, rollout: Rollout, transition: Transition, watch: Watch | None, error: BaseException
) -> None:
    """Put the environment back to what it was before the transition, after a failure or Ctrl-C.

    If the transition ended before its first update, there is nothing to undo.

    Args:
        context: of the run.
        rollout: the environment.
        transition: that failed.
        watch: what has seen its traffic move; None if nobody has.
        error: how it failed.

    Raises:
        ReturnFailed: the undo failed too.
        TrafficKept: nothing is put back that is known to be worse.

    """
    act = transition.undo
    if act is None or rollout.environment.settings is None:
        return
    if not rollout.is_touched and rollout.deployment == act.deployment:
        return
    context.session.run.processes.resume()
    reason = returning.reason_to_stay(rollout, act.deployment, watch)
    if reason is not None:
        context.steps.skip(act.step, act.title, reason)
        raise returning.keep(rollout, error, reason) from error
    try:
        context.steps.run(
            act.step, act.title, lambda progress: _restore(context, rollout, act, progress), undoing=True
        )
    except ReturnDidNotHelp as failure:
        failure.detail = f"curtainup put it back because: {error}"
        raise failure from error
    except CurtainupError as failure:
        raise ReturnFailed(
            f"{rollout.name} could not be put back: {failure.what}",
            where=failure.where,
            consequence=f"{rollout.name} may be half changed; look at it now",
            fix="run `curtainup status`, then `curtainup deploy`; it continues from the present state",
            detail=f"curtainup tried to put it back because: {error}\n{failure.detail or ''}",
        ) from error


def _restore(context: RunContext, rollout: Rollout, act: PutBack, progress: Progress) -> None:
    report = context.session.run.report
    outgoing, serving = rollout.deployment.serving(), act.deployment.serving()
    rollout.put_back(act.deployment, report.warn, act.held)
    if outgoing and serving and outgoing.id != serving.id:
        context.recorder.moved(rollout.name, outgoing.id, serving.id)
        if rollout.name == LIVE:
            returning.require_answer(rollout, serving)
        returning.tell_processes(rollout, report.warn)
    progress.note = f"{serving.version} ({serving.id}) serves" if serving else "nothing serves, as before"
