"""Transitions: what a run will do to an environment, as data.

A transition takes one environment from its present deployment to another one. It lists the steps, the gate
that judges the release, and what to undo if a step fails. `planner` makes transitions, `preview` shows them,
the plan's guard checks them, and `executor` carries them out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from curtainup.model import release as moves
from curtainup.model.release import Deployment, Release
from curtainup.pipeline.canary import Canary

LOCAL: Final = "local"
CANDIDATE: Final = "candidate"
"""The gates that are not named after their environment."""


@dataclass(frozen=True)
class Update:
    """Bring the environment to another deployment.

    Attributes:
        step: the step's name in the record.
        title: the step's title for people.
        deployments: the deployments to apply in turn, with one update each; a canary has several.
        waits: whether the step waits until the release answers.
        canary: how the traffic moves and is watched; None if no traffic moves, or nobody watches it.
        holds: whether the release stays a candidate until it is promoted; None leaves that as it is.
        seals: whether to encrypt the release's secrets first, because the release may be new.
        says: a line to show when the step begins; may be empty.

    """

    step: str
    title: str
    deployments: tuple[Deployment, ...]
    waits: bool = False
    canary: Canary | None = None
    holds: bool | None = None
    seals: bool = False
    says: str = ""


@dataclass(frozen=True)
class RunTasks:
    """Run the environment's tasks in the release's image.

    Attributes:
        names: the names of the tasks, in order.

    """

    names: tuple[str, ...]


@dataclass(frozen=True)
class Await:
    """Wait until the release answers.

    Attributes:
        step: the step's name in the record.
        title: the step's title for people.
        renews: whether to restart the release first, because it may have needed what its tasks did.

    """

    step: str
    title: str
    renews: bool = False


@dataclass(frozen=True)
class AwaitProcesses:
    """Wait until the processes of the release are healthy, once the update that starts them has ended.

    Attributes:
        step: the step's name in the record.
        title: the step's title for people.

    """

    step: str
    title: str


@dataclass(frozen=True)
class Judge:
    """Run the acceptance tests against the release.

    Attributes:
        step: the step's name in the record.
        title: the step's title for people.
        gate: `candidate` for the release alone, otherwise the environment's name.
        proven: why the tests need not run; empty when they must run.
        consequence: the consequence when tests fail; None for the usual one.

    """

    step: str
    title: str
    gate: str
    proven: str = ""
    consequence: str | None = None


@dataclass(frozen=True)
class Retire:
    """Remove releases without traffic at once, on a target that bills idle releases.

    Attributes:
        step: the step's name in the record.
        title: the step's title for people.
        deployment: the deployment that remains.
        gone: the ids of the releases that are removed.

    """

    step: str
    title: str
    deployment: Deployment
    gone: tuple[str, ...]


@dataclass(frozen=True)
class PutBack:
    """Bring the environment back to an earlier deployment, whatever happened since.

    Attributes:
        step: the step's name in the record.
        title: the step's title for people.
        deployment: the earlier deployment.
        held: id of the release that waits for a decision again; empty if none does.

    """

    step: str
    title: str
    deployment: Deployment
    held: str = ""


Act = Update | RunTasks | Await | AwaitProcesses | Judge | Retire | PutBack
Step = Update | Await | AwaitProcesses | Judge | Retire | PutBack
"""The acts that are one step of the run."""
AnyAct = TypeVar("AnyAct", bound=Act)


@dataclass(frozen=True)
class Transition:
    """The way of an environment from one deployment to another.

    Attributes:
        environment: the environment's name.
        release: the release that the transition is about.
        image: the image that the release's tests run in, when they run in the image.
        acts: the acts, in order.
        undo: the act that puts the environment back when another one fails; None leaves it as it is.

    """

    environment: str
    release: Release
    image: str
    acts: tuple[Act, ...]
    undo: PutBack | None = None


def first_act(transition: Transition, kind: type[AnyAct]) -> AnyAct | None:
    """Return the first act of a kind, or None."""
    return next((act for act in transition.acts if isinstance(act, kind)), None)


def is_watched(transition: Transition) -> bool:
    """Return whether the probe watches while it moves traffic."""
    return any(isinstance(act, Update) and act.canary is not None for act in transition.acts)


def end_of(transitions: Sequence[Transition], before: Deployment) -> Deployment:
    """Return the deployment at the end of an environment's transitions, before anything is retired."""
    updates = [act for one in transitions for act in one.acts if isinstance(act, Update)]
    return updates[-1].deployments[-1] if updates else before


def retired_by(transitions: Sequence[Transition]) -> tuple[str, ...]:
    """Return the ids of the releases that transitions remove once the new one is proven."""
    acts = [act for one in transitions for act in one.acts if isinstance(act, Retire)]
    return tuple(release for act in acts for release in act.gone)


def instead(transition: Transition, release_id: str, other: Release) -> Transition:
    """Return the transition with another release in the place of one; its undo knows neither of them."""
    if transition.release.id != release_id:
        return transition
    return replace(
        transition, release=other, acts=tuple(_instead(act, release_id, other) for act in transition.acts)
    )


def _instead(act: Act, release_id: str, other: Release) -> Act:
    if isinstance(act, Update):
        return replace(
            act, deployments=tuple(moves.instead(one, release_id, other) for one in act.deployments)
        )
    if isinstance(act, Retire):
        return replace(act, deployment=moves.instead(act.deployment, release_id, other))
    return act
