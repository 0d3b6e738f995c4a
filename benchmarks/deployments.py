"""(a) a one-line change, (c) nothing changed, (d) a rollback, (e) `--help`, (g) memory, (j) a preview."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from benchmarks import competitor
from benchmarks.measure import Cost, run, spread
from benchmarks.report import Line, Results
from curtainup.model.run import RunRecord
from tests.e2e.service import Service

HELP, NO_OP, PREVIEW, ROLLBACK = 0.2, 1.5, 1.5, 1.5
SHARE_OF_SCRIPT, OVER_FLOOR = 0.5, 3.0
DRIVER_MB = 150.0

Say = Callable[[str], None]


def curtainup(service: Service, *arguments: str) -> Cost:
    """Run one command as the user does, in a process of its own."""
    return run(service.command(*arguments), service.folder, service.variables())


def one_line_changes(
    results: Results, service: Service, folder: Path, python: Path, runs: int, say: Say
) -> None:
    """Measure (a) and (g): curtainup, the script and the floor take turns with the same changes."""
    script = competitor.Competitor(folder, python)
    try:
        script.set_up()
        for name in ("first", "second"):
            say(f"the script's {name} deployment, not measured")
            script.service.greet(name)
            script.deploy()
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
    ratios = [one.wall / two.wall for one, two, _ in pairs]
    over = [one.wall - least.wall for one, _, least in pairs]
    results.compare("a", "curtainup / the script", ratios, "x", SHARE_OF_SCRIPT)
    results.compare("a", "curtainup / the script, processor seconds", _cpu_ratios(ours, theirs), "x", None)
    results.compare("a", "curtainup - what cannot be avoided", over, "s", OVER_FLOOR)
    results.raw["a"]["curtainup's steps"] = steps
    memory = spread([cost.peak_mb for cost in ours])
    results.lines.append(Line("g", "driver's memory in these", memory.high, "MB", DRIVER_MB, range=memory))


def no_ops(results: Results, service: Service, runs: int) -> None:
    """Measure (c)."""
    costs = [curtainup(service, "deploy") for _ in range(runs)]
    results.seconds("c", "no-op curtainup deploy", costs, NO_OP)


def previews(results: Results, service: Service, runs: int) -> None:
    """Measure (j): of three stacks, in which nothing would change."""
    costs = [curtainup(service, "preview") for _ in range(runs)]
    results.seconds("j", "curtainup preview, nothing changed", costs, PREVIEW)


def rollbacks(results: Results, service: Service, runs: int) -> None:
    """Measure (d): each goes to the release that the one before has left."""
    costs = [curtainup(service, "rollback") for _ in range(runs)]
    results.seconds("d", "curtainup rollback", costs, ROLLBACK)


def helps(results: Results, service: Service, runs: int) -> None:
    """Measure (e), and a bare interpreter beside it."""
    costs = [curtainup(service, "--help") for _ in range(runs)]
    bare = [run([sys.executable, "-c", "pass"], service.folder, service.variables()) for _ in range(runs)]
    results.seconds("e", "curtainup --help", costs, HELP)
    results.seconds("e", "  a bare Python beside it", bare)


def seconds_by_step(record: RunRecord) -> dict[str, float]:
    """Return how long each step of a run took, by its name."""

    def moment(text: str) -> float:
        return datetime.fromisoformat(text).timestamp()

    return {
        step.name: round(moment(step.ended) - moment(step.started), 3) for step in record.steps if step.ended
    }


def _cpu_ratios(ours: list[Cost], theirs: list[Cost]) -> list[float]:
    return [one.cpu / two.cpu for one, two in zip(ours, theirs, strict=True)]
