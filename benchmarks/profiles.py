"""`--profile`: where the time of a command goes, by process, by step, and by what was at work at once."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from benchmarks.measure import Cost, run
from benchmarks.sampling import PYTEST, Process, Sampler
from curtainup.model.run import RunRecord
from tests.e2e.service import Service

TOGETHER = 0.1
"""Seconds within which processes that use the processor count as at work at once."""
LEAST = 0.05
GATES = ("unit", "local", "-gate")
"""The ends of the names of the steps that run tests."""
BETWEEN = "(between steps)"
UNSEEN = "too short to be seen"

Say = Callable[[str], None]


@dataclass(frozen=True)
class Step:
    """A step of a run, with its ends as seconds since the epoch."""

    name: str
    started: float
    ended: float


@dataclass(frozen=True)
class Row:
    """A line of a table: what, how many processes of it, and its seconds."""

    what: str
    count: int
    wall: float
    cpu: float


@dataclass(frozen=True)
class Profile:
    """Where the time of one command went.

    Attributes:
        what: the command, in words.
        cost: what it cost in all.
        processes: by kind; its wall is how long at least one was there.
        steps: by what was under way.
        together: seconds by the kinds that were at work at once.

    """

    what: str
    cost: Cost
    processes: tuple[Row, ...]
    steps: tuple[Row, ...]
    together: tuple[tuple[str, float], ...]


def profiles(service: Service, say: Say) -> list[Profile]:
    """Profile a one-line change, a no-op, a preview and a rollback of a service with two releases on live."""
    found = []
    service.greet("profiled")
    for what, command, recorded in (
        ("a one-line change", "deploy", True),
        ("a no-op", "deploy", False),
        ("a preview of nothing changed", "preview", False),
        ("a rollback", "rollback", True),
    ):
        say(f"profile of {what}")
        sampler = Sampler()
        cost = run(service.command(command), service.folder, service.variables(), sampler.watch)
        seen = sampler.join()
        found.append(profile(what, cost, seen, steps_of(service.last_run()) if recorded else []))
    return found


def profile(what: str, cost: Cost, seen: Sequence[Process], steps: Sequence[Step]) -> Profile:
    """Sum up what was seen of a command."""
    named = [(_kind(one, steps), one) for one in seen]
    unseen = max(0.0, cost.cpu - sum(one.used for one in seen))
    processes = [
        _row(kind, [one for name, one in named if name == kind]) for kind in {kind for kind, _ in named}
    ]
    processes.append(Row(UNSEEN, 0, 0.0, unseen))
    return Profile(
        what,
        cost,
        tuple(sorted(processes, key=lambda row: -row.cpu)),
        tuple(_by_step(seen, steps)),
        tuple(_together(named)),
    )


def steps_of(record: RunRecord) -> list[Step]:
    """Return the steps of a run."""

    def moment(text: str) -> float:
        return datetime.fromisoformat(text).timestamp()

    return [Step(one.name, moment(one.started), moment(one.ended)) for one in record.steps if one.ended]


def table(profile: Profile) -> str:
    """Return the tables of a profile for people."""
    cost = profile.cost
    lines = [f"{profile.what}: {cost.wall:.2f} s, {cost.cpu:.2f} processor seconds"]
    lines += ["", f"  {'process':40} {'started':>8} {'there s':>8} {'cpu s':>8} {'share':>6}"]
    for row in profile.processes:
        share = row.cpu / cost.cpu if cost.cpu else 0.0
        started = str(row.count or "")
        lines.append(f"  {row.what:40} {started:>8} {row.wall:8.2f} {row.cpu:8.2f} {share:6.0%}")
    lines += ["", f"  {'step':49} {'wall s':>8} {'cpu s':>8}"]
    lines += [f"  {row.what:49} {row.wall:8.2f} {row.cpu:8.2f}" for row in profile.steps]
    lines += ["", f"  {'at work at once':49} {'wall s':>8}"]
    lines += [f"  {what:49} {seconds:8.2f}" for what, seconds in profile.together if seconds >= LEAST]
    return "\n".join(lines)


def _kind(one: Process, steps: Iterable[Step]) -> str:
    """Return the kind of a process; tests are told apart by the gate that most of their time was in."""
    if one.kind != PYTEST:
        return one.kind or UNSEEN
    gates = [step for step in steps if step.name.endswith(GATES)]
    shares = Counter(
        {gate.name: sum(gate.started <= at <= gate.ended for at, _ in one.seen) for gate in gates}
    )
    [(name, count)] = shares.most_common(1) or [("", 0)]
    return f"{PYTEST} of {name}" if count else PYTEST


def _row(kind: str, processes: Sequence[Process]) -> Row:
    looks = sorted({at for one in processes for at, _ in one.seen})
    pauses = [after - before for before, after in pairwise(looks)]
    there = sum(pause for pause in pauses if pause < TOGETHER)
    return Row(kind, len(processes), there, sum(one.used for one in processes))


def _by_step(seen: Sequence[Process], steps: Sequence[Step]) -> list[Row]:
    """Return what was used while each step, or several at once, were under way, in their order."""
    walls: dict[str, float] = defaultdict(float)
    used: dict[str, float] = defaultdict(float)
    looks = sorted({at for one in seen for at, _ in one.seen})
    for before, at in pairwise(looks):
        walls[_under_way(at, steps)] += at - before
    for one in seen:
        for at, seconds in one.seen:
            used[_under_way(at, steps)] += seconds
    return [Row(name, 0, walls[name], used[name]) for name in walls]


def _under_way(at: float, steps: Iterable[Step]) -> str:
    return " + ".join(step.name for step in steps if step.started <= at <= step.ended) or BETWEEN


def _together(named: Iterable[tuple[str, Process]]) -> list[tuple[str, float]]:
    """Return the seconds in which the same kinds used the processor, longest first."""
    busy: dict[int, set[str]] = defaultdict(set)
    for kind, one in named:
        for at, seconds in one.seen:
            kinds = busy[int(at / TOGETHER)]
            if seconds:
                kinds.add(kind)
    sums: Counter[str] = Counter()
    for kinds in busy.values():
        sums[" + ".join(sorted(kinds)) or "nothing of ours"] += TOGETHER  # type: ignore[assignment]
    return [(what, float(seconds)) for what, seconds in sums.most_common()]
