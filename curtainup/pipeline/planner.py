"""Planning: the transitions that each command takes an environment through. Planning changes nothing.

    deploy     staging: to_serving                    live: to_candidate, to_live
    promote                                           live: held, to_live
    rollback                                          live: kept or again, to_live
    review     review-NAME: to_serving

This module alone decides what is undone, and when.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from curtainup.environments.view import EnvironmentView
from curtainup.errors import RefusedError
from curtainup.model import release as moves
from curtainup.model.names import LIVE
from curtainup.model.process import processes_of
from curtainup.model.release import Deployment, Release
from curtainup.pipeline.canary import Canary
from curtainup.pipeline.transition import (
    CANDIDATE,
    Act,
    Await,
    AwaitProcesses,
    Judge,
    PutBack,
    Retire,
    RunTasks,
    Transition,
    Update,
)

IsProved = Callable[[str, str], bool]
"""Takes a gate's name and a release's id; says whether a record on this machine has the proof."""

AT_ONCE = Canary()
CANDIDATE_GATE = "acceptance tests on the candidate"
STAYS_HELD = "it stays held, without traffic; live is as it was"
STAYS_PAUSED = "it keeps its share of the traffic; live is as it was"


def deployment(
    wanted: Sequence[tuple[EnvironmentView, Release]],
    image: str,
    is_proved: IsProved,
    *,
    prove: bool = True,
    hold: bool = False,
    canary: Canary | None = None,
) -> tuple[Transition, ...]:
    """Return what `deploy` does to its environments, in order.

    Args:
        wanted: each environment, with the release that it gets.
        image: the image that tests run in, when they run in the image.
        is_proved: says which releases have passed which gates.
        prove: whether to run staging's gate.
        hold: whether to leave the candidate proven and without traffic.
        canary: replaces the configured canary.

    """
    transitions: tuple[Transition, ...] = ()
    for view, new in wanted:
        if view.name != LIVE:
            transitions += to_serving(view, new, image, prove=prove)
            continue
        transitions += to_candidate(view, new, image, is_proved, held=hold)
        if not hold:
            transitions += to_live(view, new, image, is_proved, canary)
    return transitions


def require_splits(view: EnvironmentView, canary: Canary | None) -> None:
    """Check that the target can split traffic as the canary asks.

    Raises:
        RefusedError: the target moves all traffic at once.

    """
    if canary is not None and canary.shares and not view.splits:
        raise RefusedError(
            f"{view.config.deploy_target} moves all traffic at once",
            where="--canary",
            consequence="nothing was built or changed",
            fix="leave --canary out",
        )


def to_serving(
    view: EnvironmentView, new: Release, image: str, *, prove: bool = True
) -> tuple[Transition, ...]:
    """Give a release all traffic of staging or of a review environment, which need no protection.

    One update adds the release and gives it the traffic. With tasks there are two updates, and the tasks
    run between them. A first release that the public may not call before it is proven passes its gate between
    two updates as well.

    Args:
        view: the environment.
        new: the release.
        image: the image that its tests run in.
        prove: whether to run the environment's gate.

    """
    name, before = view.name, view.deployment
    staged = moves.stage(before, new, view.keep)
    after = moves.shift(staged, new.id)
    stage: tuple[Act, ...] = ()
    if view.config.tasks or view.is_private:
        title = f"start the release on {name}, without traffic"
        stage = _start(view, Update(f"{name}-stage", title, (staged,), seals=True))
    update = Update(name, f"deploy to {name}", (after,), waits=True, seals=True)
    gate: tuple[Act, ...] = (_gate(name),) if prove else ()
    works = _processes(name, new)
    parts = ((*stage, *gate), (update, *works)) if view.is_private else ((*stage, update, *gate, *works),)
    undo = PutBack(f"{name}-undo", f"put {name} back", before)
    transitions = tuple(Transition(name, new, image, acts, undo) for acts in parts)
    return (*transitions, *_retire(view, f"{name}-retire", new, after))


def kept(view: EnvironmentView, release: Release, image: str, is_proved: IsProved) -> tuple[Transition, ...]:
    """Judge the release that already serves, if it has no proof yet.

    The processes of one that is proven are looked at again, as they may have ended since; if they have,
    nothing is undone.
    """
    if not is_proved(view.name, release.id):
        return (judged_on_live if view.name == LIVE else judged)(view, release, image)
    acts = _processes(view.name, release)
    return (Transition(view.name, release, image, acts),) if acts else ()


def judged(view: EnvironmentView, release: Release, image: str) -> tuple[Transition, ...]:
    """Run the gate on the release that already serves; a failure undoes nothing."""
    return (Transition(view.name, release, image, (_gate(view.name), *_processes(view.name, release))),)


def judged_on_live(view: EnvironmentView, release: Release, image: str) -> tuple[Transition, ...]:
    """Run the gate on the release that already serves on live; if it fails, the previous one gets traffic."""
    passed_over = {release.id, view.deployment.candidate}
    older = [kept for kept in view.deployment.releases if kept.id not in passed_over]
    undo = _return(view, moves.shift(view.deployment, older[-1].id)) if older else None
    acts: tuple[Act, ...] = (_gate(view.name), *_processes(view.name, release))
    return (Transition(view.name, release, image, acts, undo),)


def to_candidate(
    view: EnvironmentView, new: Release, image: str, is_proved: IsProved, *, held: bool
) -> tuple[Transition, ...]:
    """Start a release as a candidate, without traffic, and run its gate.

    Args:
        view: live.
        new: the release.
        image: the image that its tests run in.
        is_proved: says which releases have passed the live gate.
        held: whether the candidate stays until it is promoted.

    """
    staged = _staged(view, new, is_proved)
    update = Update(CANDIDATE, "start the candidate, without traffic", (staged,), holds=held, seals=True)
    acts = (*_start(view, update), Judge("candidate-gate", CANDIDATE_GATE, CANDIDATE))
    undo = PutBack("candidate-undo", "remove the candidate", _before(view, new))
    return (Transition(view.name, new, image, acts, undo),)


def to_live(
    view: EnvironmentView, new: Release, image: str, is_proved: IsProved, canary: Canary | None
) -> tuple[Transition, ...]:
    """Give the proven candidate the traffic; the undo returns it to the release that was proven before.

    A release whose canary is paused or was cut off begins with the share that it has.
    """
    staged, proven = _staged(view, new, is_proved), _proven(is_proved, _before(view, new))
    goes_on = view.environment.newcomer == new.id
    back = moves.withdraw(staged, new.id) if goes_on else _without(new, staged)
    past = staged.traffic[new.id] - 1 if goes_on else 0
    back = moves.shift(back, proven) if proven else back
    return _move(view, new, image, staged, back, canary, past=past)


def promoted(
    view: EnvironmentView, release: Release, is_proved: IsProved, canary: Canary | None
) -> tuple[Transition, ...]:
    """Give a held candidate the traffic; its gate runs again first, unless the record has the proof.

    A release whose canary is paused goes on with the share after the one that it has.
    """
    proven = "passed when it was staged" if is_proved(CANDIDATE, release.id) else ""
    acts = (
        Await("release", "check that the candidate answers"),
        Judge(
            "candidate-gate", CANDIDATE_GATE, CANDIDATE, proven, STAYS_PAUSED if view.paused else STAYS_HELD
        ),
    )
    back, past = moves.withdraw(view.deployment, release.id), view.deployment.traffic.get(release.id, 0)
    first = Transition(view.name, release, release.image, acts)
    moved = _move(view, release, release.image, view.deployment, back, canary, past=past, holds=False)
    return (first, *moved)


def discarded(view: EnvironmentView, release: Release) -> tuple[Transition, ...]:
    """Remove a held candidate; what traffic it has goes back first."""
    act = PutBack("discard", "remove the held candidate", moves.withdraw(view.deployment, release.id))
    return (Transition(view.name, release, release.image, (act,)),)


def rolled_back(view: EnvironmentView, wanted: Release) -> tuple[Transition, ...]:
    """Give an older release all traffic; if it is no longer kept, create it again first.

    The release of a canary that was paused or cut off stays as a candidate that waits for nobody. The undo
    brings back its share, and the canary is paused.
    """
    before = view.deployment
    if before.find(wanted.id) is not None:
        check = Await("release", "check that the release answers")
        first, staged = Transition(view.name, wanted, wanted.image, (check,)), before
    else:
        staged = moves.stage(before, wanted, len(before.releases))
        first = _made_again(view, wanted, staged)
    holds = False if view.environment.newcomer else None
    return (first, *_move(view, wanted, wanted.image, staged, before, AT_ONCE, holds=holds))


def renewed(view: EnvironmentView, release: Release) -> tuple[Transition, ...]:
    """Leave a review environment as it is, and restart its time to live."""
    act = Update("renew", "restart its time to live", (view.deployment,))
    return (Transition(view.name, release, release.image, (act,)),)


def settled(view: EnvironmentView, release: Release) -> tuple[Transition, ...]:
    """Leave an environment as it is, and put right what an update that was cut off, or a hand, has left."""
    left = f"put right what a run that was cut off left on {view.name}"
    gone = f"make again what somebody removed from {view.name}"
    act = Update("settle", left if view.was_cut_off else gone, (view.deployment,))
    return (Transition(view.name, release, release.image, (act,)),)


def _made_again(view: EnvironmentView, wanted: Release, staged: Deployment) -> Transition:
    """Create a release again that was retired because idle releases are billed."""
    title = "create the release again, without traffic"
    says = f"{wanted.version} is no longer kept, so curtainup creates it again"
    acts = (
        Update(CANDIDATE, title, (staged,), waits=True, says=says),
        Judge("candidate-gate", CANDIDATE_GATE, CANDIDATE),
    )
    undo = PutBack("candidate-undo", "remove the release again", view.deployment)
    return Transition(view.name, wanted, wanted.image, acts, undo)


def _move(
    view: EnvironmentView,
    new: Release,
    image: str,
    staged: Deployment,
    back: Deployment,
    canary: Canary | None,
    *,
    past: int = 0,
    holds: bool | None = None,
) -> tuple[Transition, ...]:
    """Move live's traffic to a staged release while the probe watches, and run the gate; undo on failure.

    Steps of the canary up to the share `past` are left out.
    """
    chosen = Canary.of(view.config) if canary is None else canary
    serving = back.serving()
    shares = (*(one for one in chosen.shares if one > past), 100) if serving is not None else (100,)
    begin = moves.shift(staged, serving.id) if past and serving is not None else staged
    stages = tuple(moves.shift(begin, new.id, share) for share in shares)
    update = Update("shift", "move traffic", stages, canary=chosen, holds=holds)
    acts: tuple[Act, ...] = (update, _gate(view.name), *_processes(view.name, new))
    first = Transition(view.name, new, image, acts, _return(view, back))
    return (first, *_retire(view, "retire", new, stages[-1]))


def _start(view: EnvironmentView, update: Update) -> tuple[Act, ...]:
    """Stage a release, run its tasks, and wait until it answers; without tasks this is one step.

    The wait comes last: a release may need what its tasks do, and exit until they have run.
    """
    tasks = tuple(task.name for task in view.config.tasks)
    if not tasks:
        return (replace(update, waits=True),)
    wait = Await(f"{view.name}-start", "wait until the new release answers", renews=True)
    return (update, RunTasks(tasks), wait)


def _processes(name: str, release: Release) -> tuple[Act, ...]:
    if not processes_of(release.settings):
        return ()
    return (AwaitProcesses(f"{name}-processes", f"wait until the processes work on {name}"),)


def _gate(name: str) -> Judge:
    return Judge(f"{name}-gate", f"acceptance tests on {name}", name)


def _return(view: EnvironmentView, deployment: Deployment) -> PutBack:
    newcomer = view.environment.newcomer
    waits = newcomer if deployment.is_undecided(newcomer) else ""
    return PutBack("return", "put traffic back", deployment, waits)


def _retire(view: EnvironmentView, step: str, new: Release, after: Deployment) -> tuple[Transition, ...]:
    rest = moves.retired(after, view.keep)
    gone = tuple(one.id for one in after.releases if rest.find(one.id) is None)
    if not view.spec.bills_idle or not gone:
        return ()
    act = Retire(step, "remove what the new release replaced", rest, gone)
    return (Transition(view.name, new, new.image, (act,)),)


def _staged(view: EnvironmentView, new: Release, is_proved: IsProved) -> Deployment:
    newcomer = view.environment.newcomer
    base = _before(view, new) if newcomer not in ("", new.id) else view.deployment
    return moves.stage(base, new, view.keep, _proven(is_proved, _before(view, new)))


def _before(view: EnvironmentView, new: Release) -> Deployment:
    """Return live as it was before the new release, and before a canary that is paused or was cut off."""
    newcomer = view.environment.newcomer
    deployment = moves.withdraw(view.deployment, newcomer) if newcomer else view.deployment
    return _without(new, deployment)


def _proven(is_proved: IsProved, live: Deployment) -> str | None:
    """Return the release to undo to: the one that serves, unless a killed run left it unproven."""
    serving = live.serving()
    if serving is None:
        return None
    if is_proved(LIVE, serving.id):
        return serving.id
    proven = [one.id for one in live.releases if is_proved(LIVE, one.id)]
    return proven[-1] if proven else serving.id


def _without(new: Release, deployment: Deployment) -> Deployment:
    """Return the deployment without the new release, unless that release has traffic."""
    if deployment.find(new.id) is None or deployment.traffic.get(new.id):
        return deployment
    return moves.retract(deployment, new.id)
