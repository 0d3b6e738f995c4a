"""The transitions that the next deployment would make of an environment, in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from curtainup.model.process import processes_of
from curtainup.model.release import Deployment, Release
from curtainup.model.schedule import schedules_of
from curtainup.pipeline.transition import (
    CANDIDATE,
    Act,
    Judge,
    RunTasks,
    Transition,
    Update,
    end_of,
    retired_by,
)


@dataclass(frozen=True)
class Shown:
    """What the text of a preview needs to know of an environment and the new release.

    Attributes:
        before: the environment's present deployment.
        called: the new release, in words.
        url: the URL at which the new release is tested; None when it is not known yet.
        keep: how many releases without traffic stay.
        held: the id of a held candidate; empty if there is none.

    """

    before: Deployment
    called: str
    url: str | None
    keep: int
    held: str = ""


def told(transitions: Sequence[Transition], shown: Shown) -> list[str]:
    """Return a line for the new release, for the one that serves, and for each that is removed."""
    new, serving = transitions[0].release, shown.before.serving()
    after, retires = end_of(transitions, shown.before), retired_by(transitions)
    lines = []
    if serving is None or serving.id != new.id:
        lines.append(f"{shown.called} {_course(transitions, shown)}{_with_processes(new)}")
        lines += _schedules(shown.before, new)
        if serving is not None:
            lines.append(f"{_named(serving)} {_stay(serving, new, retires, shown.keep)}")
    for one in shown.before.releases:
        gone = after.find(one.id) is None
        if gone and one.id == shown.held:
            lines.append(f"{_named(one)} is held: deploy needs --replace-candidate to drop it")
        elif gone:
            lines.append(f"{_named(one)} is removed")
        elif one.id in retires and one != serving:
            lines.append(f"{_named(one)} is removed once {new.version} is proven")
    return lines


def _course(transitions: Sequence[Transition], shown: Shown) -> str:
    where = f" at {shown.url}" if shown.url else ""
    acts = [act for one in transitions for act in one.acts]
    tasks = [name for act in acts if isinstance(act, RunTasks) for name in act.names]
    ran = f"runs its tasks ({', '.join(tasks)}), " if tasks else ""
    if not any(isinstance(act, Judge) and act.gate == CANDIDATE for act in acts):
        if _is_judged_first(acts):
            return f"starts without traffic, {ran}is tested{where}, then gets 100 %"
        first = f"starts without traffic, {ran}then " if ran else ""
        return f"{first}gets 100 % and is tested{where}"
    new = transitions[0].release
    *steps, last = [f"{share} %" for share in _shares(transitions, new)]
    gets = f"{', '.join(steps)} and {last}" if steps else last
    share = shown.before.traffic.get(new.id)
    there = "is there" if shown.before.find(new.id) else "starts"
    starts = f"has {share} % of the traffic" if share else f"{there} without traffic"
    return f"{starts}, {ran}is tested alone{where}, then gets {gets}{_judges(acts)}"


def _judges(acts: Sequence[Act]) -> str:
    """Return in words which metrics judge the steps of a canary."""
    moves = [act for act in acts if isinstance(act, Update) and len(act.deployments) > 1 and act.canary]
    names = [metric.name for act in moves if act.canary for metric in act.canary.metrics]
    return f"; the metrics {', '.join(names)} judge each step before that" if names else ""


def _with_processes(new: Release) -> str:
    """Return which processes start once the release has all traffic; empty if it has none."""
    found = [f"{one.count} {one.name}" if one.count > 1 else one.name for one in processes_of(new.settings)]
    return f"; its processes ({', '.join(found)}) start with that" if found else ""


def _schedules(before: Deployment, new: Release) -> list[str]:
    """Return a line for the schedules that start, change or go once the release has all traffic."""
    works = before.at_work()
    old = {one.name: one for one in schedules_of(works.settings)} if works else {}
    coming = {one.name: one for one in schedules_of(new.settings)}
    found = {
        "starts": [name for name in coming if name not in old],
        "changes": [name for name, one in coming.items() if name in old and one != old[name]],
        "stays": [name for name, one in coming.items() if one == old.get(name)],
        "goes": [name for name in old if name not in coming],
    }
    told = [f"{name} {what}" for what, names in found.items() for name in names]
    return [f"its schedules, once it has all traffic: {', '.join(told)}"] if told else []


def _is_judged_first(acts: Sequence[Act]) -> bool:
    """Return whether the gate comes before the update that gives traffic."""
    judged = next((place for place, act in enumerate(acts) if isinstance(act, Judge)), len(acts))
    return any(isinstance(act, Update) for act in acts[judged:])


def _shares(transitions: Sequence[Transition], new: Release) -> list[int]:
    """Return the shares of traffic that a release gets in turn, in per cent."""
    moves = [
        act for one in transitions for act in one.acts if isinstance(act, Update) and act.canary is not None
    ]
    return [deployment.traffic[new.id] for act in moves for deployment in act.deployments]


def _stay(serving: Release, new: Release, retires: Sequence[str], keep: int) -> str:
    if serving.id in retires:
        return f"is removed once {new.version} is proven"
    if keep <= 1:
        return "is kept without traffic until the next deployment"
    return f"is kept without traffic until {keep} newer ones have been live"


def _named(release: Release) -> str:
    return f"{release.version} ({release.id})"
