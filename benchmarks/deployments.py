"""(a) a one-line change, (c) nothing changed, (d) a rollback, (e) `--help`, (g) memory, (j) a preview."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Callable
from dataclasses import astuple
from datetime import datetime
from pathlib import Path

from benchmarks import competitor
from benchmarks.measure import Cost, run, spread
from benchmarks.report import Line, Results
from curtainup.model.run import RunRecord
from tests.e2e.service import Service

CHANGE, PROCESSOR, FIRST, ROLLBACK, PREVIEW, NO_OP = 0.5, 0.6, 1.0, 0.12, 0.10, 0.04
"""Goals, as ratios to the script's one-line change; of FIRST, to the script's first deployment."""
HELP = 4.0
"""The goal of `--help`, as a ratio to an interpreter that does nothing."""
DRIVER_MB = 90.0

Say = Callable[[str], None]


def curtainup(service: Service, *arguments: str) -> Cost:
    """Run one command as the user does, in a process of its own."""
    return run(service.command(*arguments), service.folder, service.variables())


def one_line_changes(
    results: Results, service: Service, folder: Path, python: Path, runs: int, say: Say, first: Cost
) -> Cost:
    """Measure (a) and (g): curtainup, the script and the floor take turns with the same changes.

    Args:
        results: where the lines go.
        service: deployed, with two releases on live.
        folder: for the script.
        python: the interpreter for the tests.
        runs: repetitions.
        say: told of progress.
        first: what the first deployment of the service cost.

    Returns:
        What the script's one-line change costs.

    """
    script = competitor.Competitor(folder, python)
    try:
        script.set_up()
        firsts: list[Cost] = []
        for name in ("first", "second"):
            say(f"the script's {name} deployment")
            script.service.greet(name)
            firsts.append(script.deploy())
        ours: list[Cost] = []
        theirs: list[Cost] = []
        floor: list[Cost] = []
        steps: list[dict[str, float]] = []
        for number in range(runs):
            say(f"one-line change {number + 1} of {runs}: curtainup, the script, the floor")
            service.greet(f"change {number}")
            ours.append(curtainup(service, "deploy"))
            steps.append(seconds_by_step(service.last_run()))
            script.service.greet(f"change {number}")
            theirs.append(script.deploy())
            script.service.greet(f"floor {number}")
            floor.append(script.floor())
    finally:
        script.remove()
    results.seconds("a", "one-line change: curtainup deploy", ours)
    results.seconds("a", "one-line change: the script", theirs)
    results.seconds("a", "what cannot be avoided of it", floor)
    pairs = list(zip(ours, theirs, floor, strict=True))
    results.ratio("a", "one-line change", [one.wall / two.wall for one, two, _ in pairs], CHANGE)
    results.ratio("a", "its processor time", [one.cpu / two.cpu for one, two, _ in pairs], PROCESSOR)
    results.ratio("a", "first deployment, to the script's first", [first.wall / firsts[0].wall], FIRST)
    over = [one.wall - least.wall for one, _, least in pairs]
    results.compare("a", "curtainup - what cannot be avoided", over, "s", None)
    results.compare(
        "a", "what cannot be avoided / the script", [c.wall / b.wall for _, b, c in pairs], "x", None
    )
    results.raw["a"]["curtainup's steps"] = steps
    memory = spread([cost.peak_mb for cost in ours])
    results.lines.append(Line("g", "driver's memory in these", memory.high, "MB", DRIVER_MB, range=memory))
    return Cost(*(statistics.median(one) for one in zip(*map(astuple, theirs), strict=True)))


def no_ops(results: Results, service: Service, runs: int, script: Cost | None = None) -> None:
    """Measure (c)."""
    costs = [curtainup(service, "deploy") for _ in range(runs)]
    _against(results, "c", "no-op", costs, script, NO_OP)


def previews(results: Results, service: Service, runs: int, script: Cost | None = None) -> None:
    """Measure (j): of three stacks, in which nothing would change."""
    costs = [curtainup(service, "preview") for _ in range(runs)]
    _against(results, "j", "preview of three unchanged stacks", costs, script, PREVIEW)


def rollbacks(results: Results, service: Service, runs: int, script: Cost | None = None) -> None:
    """Measure (d): each goes to the release that the one before has left."""
    costs = [curtainup(service, "rollback") for _ in range(runs)]
    _against(results, "d", "rollback", costs, script, ROLLBACK)


def helps(results: Results, service: Service, runs: int) -> None:
    """Measure (e), and a bare interpreter beside it."""
    costs, bare = [], []
    for _ in range(runs):
        costs.append(curtainup(service, "--help"))
        bare.append(run([sys.executable, "-c", "pass"], service.folder, service.variables()))
    results.seconds("e", "curtainup --help", costs)
    results.seconds("e", "a bare Python beside it", bare)
    ratios = [one.wall / two.wall for one, two in zip(costs, bare, strict=True)]
    results.ratio("e", "--help, to a bare Python", ratios, HELP)


def seconds_by_step(record: RunRecord) -> dict[str, float]:
    """Return how long each step of a run took, by its name."""

    def moment(text: str) -> float:
        return datetime.fromisoformat(text).timestamp()

    return {
        step.name: round(moment(step.ended) - moment(step.started), 3) for step in record.steps if step.ended
    }


def _against(
    results: Results, key: str, what: str, costs: list[Cost], script: Cost | None, goal: float
) -> None:
    """Add what a command took, and its ratio to the script's one-line change where that was measured."""
    results.seconds(key, what, costs)
    if script is not None:
        results.ratio(key, what, [cost.wall / script.wall for cost in costs], goal)
