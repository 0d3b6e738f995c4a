"""(l) a one-line change and a no-op on a Docker host over SSH, on a line of 20 ms."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from benchmarks.deployments import curtainup
from benchmarks.measure import Cost
from benchmarks.report import Line, Results
from tests.e2e.distant import equipped, placed
from tests.e2e.service import Service

LINE_MS = 20
"""How long the line takes there and back."""
TIMES_HERE = 1.5
NO_OP_SECONDS = 1.5
LOGINS = 1

Say = Callable[[str], None]


def over_ssh(results: Results, here: Service, folder: Path, python: Path, runs: int, say: Say) -> None:
    """Measure (l): both take turns with the same changes.

    Args:
        results: where the lines go.
        here: deployed on this machine's engine, to compare with.
        folder: for the service over SSH.
        python: the interpreter for its tests.
        runs: repetitions.
        say: told of progress.

    """
    folder.mkdir(parents=True)
    with equipped() as machine, placed(machine, folder, python) as there:
        for name in ("first", "second"):
            say(f"the {name} deployment over SSH, not measured")
            there.greet(name)
            there.deploy()
        changes: tuple[list[Cost], list[Cost]] = ([], [])
        no_ops: tuple[list[Cost], list[Cost]] = ([], [])
        logins: list[int] = []
        with machine.slow(LINE_MS):
            for number in range(runs):
                say(f"one-line change and no-op {number + 1} of {runs}: here, over SSH")
                for service, changed, same in zip((here, there), changes, no_ops, strict=True):
                    service.greet(f"over SSH {number}")
                    before = machine.logins()
                    changed.append(curtainup(service, "deploy"))
                    if service is there:
                        logins.append(machine.logins() - before)
                    same.append(curtainup(service, "deploy"))
    _tell(results, changes, no_ops, max(logins))


def _tell(
    results: Results,
    changes: tuple[list[Cost], list[Cost]],
    no_ops: tuple[list[Cost], list[Cost]],
    logins: int,
) -> None:
    results.seconds("l", "one-line change here, beside SSH", changes[0])
    results.seconds("l", "one-line change over SSH", changes[1])
    results.compare("l", "one-line change over SSH / here", _ratios(changes), "x", TIMES_HERE)
    results.seconds("l", "no-op here, beside SSH", no_ops[0])
    results.seconds("l", "no-op over SSH", no_ops[1], NO_OP_SECONDS)
    results.compare("l", "no-op over SSH / here", _ratios(no_ops), "x", None)
    results.lines.append(Line("l", "logins of one deployment, at most", logins, "", LOGINS))


def _ratios(pair: tuple[list[Cost], list[Cost]]) -> list[float]:
    return [there.wall / here.wall for here, there in zip(*pair, strict=True)]
