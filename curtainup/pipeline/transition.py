"""Transitions: what a run does to an environment, as data that is made before anything is done.

A transition takes one environment from the deployment it has to another one. It says in which steps, how the
release is judged, and what is undone if a step fails. `planner` makes transitions, `preview` shows them,
the plan's guard checks them, and `executor` carries them out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from curtainup.model.release import Deployment, Release
from curtainup.pipeline.canary import Canary

LOCAL: Final = "local"
CANDIDATE: Final = "candidate"
"""Gates that are not named after their environment."""


@dataclass(frozen=True)
class Update:
    """Bring the environment to another deployment.

    Attributes:
        step: its name in the record.
        title: what people are told of it.
        deployments: made real in turn, by an update each; a canary has several.
        waits: whether the step ends only when the release answers.
        canary: how traffic is watched while it moves; None moves none, or unwatched.
        holds: whether the release stays as a candidate until it is promoted; None changes nothing about that.
        seals: whether the release's secrets are encrypted first, as it may be a new one.
        says: what people are told when the step begins; empty is nothing.

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
        names: of the tasks, in turn.

    """

    names: tuple[str, ...]


@dataclass(frozen=True)
class Await:
    """Wait until the release answers.

    Attributes:
        step: its name in the record.
        title: what people are told of it.
        renews: whether the release is started anew first, as it may have needed what its tasks did.

    """

    step: str
    title: str
    renews: bool = False


@dataclass(frozen=True)
class Judge:
    """Run the acceptance tests against the release.

    Attributes:
        step: its name in the record.
        title: what people are told of it.
        gate: `candidate` for the release alone, else the environment's name.
        proven: why the tests need not run; empty when they must.
        consequence: of tests that fail, where it is not the usual one.

    """

    step: str
    title: str
    gate: str
    proven: str = ""
    consequence: str | None = None


@dataclass(frozen=True)
class Retire:
    """Remove releases without traffic at once, where idle ones are billed.

    Attributes:
        step: its name in the record.
        title: what people are told of it.
        deployment: what stays.
        gone: ids of the releases that leave.

    """

    step: str
    title: str
    deployment: Deployment
    gone: tuple[str, ...]


@dataclass(frozen=True)
class PutBack:
    """Bring the environment back to a deployment that it had, whatever happened since.

    Attributes:
        step: its name in the record.
        title: what people are told of it.
        deployment: what it had.

    """

    step: str
    title: str
    deployment: Deployment


Act = Update | RunTasks | Await | Judge | Retire | PutBack


@dataclass(frozen=True)
class Transition:
    """An environment's way from one deployment to another.

    Attributes:
        environment: its name.
        release: what the transition is about.
        image: what the release's tests run in, when they run in the image.
        acts: what is done, in this order.
        undo: what puts the environment back when an act fails; None leaves it as it is then.

    """

    environment: str
    release: Release
    image: str
    acts: tuple[Act, ...]
    undo: PutBack | None = None


def end_of(transitions: Sequence[Transition], before: Deployment) -> Deployment:
    """Return the deployment that transitions of one environment end with, before anything is retired."""
    updates = [act for one in transitions for act in one.acts if isinstance(act, Update)]
    return updates[-1].deployments[-1] if updates else before


def retired_by(transitions: Sequence[Transition]) -> tuple[str, ...]:
    """Return the ids of the releases that transitions remove once the new one is proven."""
    acts = [act for one in transitions for act in one.acts if isinstance(act, Retire)]
    return tuple(release for act in acts for release in act.gone)
