"""`make bench`: measure everything in one run, print the table, and write it to a file.

The machine is shared and noisy, so what is compared takes turns, and medians, ends and ratios are shown.
"""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path

from benchmarks import (
    deployments,
    distant,
    growth,
    https,
    kubernetes,
    operation,
    profiles,
    rehearsals,
    report,
    service,
    switches,
)
from benchmarks.measure import Cost
from benchmarks.report import Results
from tests.e2e.service import Service

MEASUREMENTS = {
    "a": "a one-line change, against a plain script (brings g)",
    "b": "one operation of the engine, against the usual calls",
    "c": "a no-op deploy",
    "d": "a rollback",
    "e": "--help",
    "f": "failed requests over 20 switches under load",
    "g": "the driver's memory during (a)",
    "h": "a one-line change rehearsed on each cloud, against a Docker host",
    "i": "failed requests over a rehearsed switch on each cloud, under load",
    "j": "a preview of nothing changed",
    "k": "how time grows with past releases, source and tests",
    "l": "a one-line change and a no-op over SSH on a line of 20 ms, against this machine's engine",
    "m": "the door of HTTPS: what it costs, and failed requests through it",
    "n": "a Kubernetes cluster of curtainup's own: a change and a rollback, failed requests, what is told",
}
ON_LIVE = set("acdefhijklmn")
"""What needs a service with two releases on live."""
QUICK_RUNS = 3
"""How many times more the short commands are repeated than the long ones."""
RESULTS = Path(__file__).parent / "results"


def main(arguments: list[str] | None = None) -> None:
    """Parse the command line, measure, and report."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measure curtainup side by side with what one would do without it.",
        epilog="measurements: " + "; ".join(f"{key} {what}" for key, what in MEASUREMENTS.items()),
    )
    parser.add_argument(
        "--only", type=_keys, default=set(MEASUREMENTS), metavar="a,c", help="measure only these"
    )
    parser.add_argument("--runs", type=int, default=5, metavar="N", help="repetitions of (a); default 5")
    parser.add_argument(
        "--switches", type=int, default=switches.SWITCHES, metavar="N", help="switches of (f)"
    )
    parser.add_argument(
        "--requests", type=int, default=switches.REQUESTS, metavar="N", help="requests of (f)"
    )
    parser.add_argument(
        "--profile",
        action="store_true",
        help="show where the time of four commands goes, and measure nothing else",
    )
    chosen = parser.parse_args(arguments)
    results = Results()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))
    try:
        with tempfile.TemporaryDirectory(prefix="curtainup-bench-") as folder:
            measure(results, Path(folder), chosen)
    finally:
        for lines in (results.ratios, results.lines):
            if lines:
                print(report.table(lines), end="\n\n")
        print(f"machine: {report.machine()}\nwritten to {report.write(results, RESULTS)}")


def measure(results: Results, folder: Path, chosen: argparse.Namespace) -> None:
    """Make the chosen measurements in their order."""
    if chosen.profile:
        profile(results, folder)
        return
    only: Collection[str] = chosen.only
    quick = chosen.runs * QUICK_RUNS
    if "b" in only:
        say("engine operations")
        operation.operations(results, folder / "operation", quick)
    if not ON_LIVE & set(only) and "g" not in only:
        return
    python = service.python(folder)
    firsts: list[Cost] = []
    with deployed(folder / "curtainup", python, firsts) as ours:
        script = None
        if {"a", "g"} & set(only):
            script = deployments.one_line_changes(
                results, ours, folder / "script", python, chosen.runs, say, firsts[0]
            )
        if {"h", "i"} & set(only):
            rehearsals.rehearsals(results, ours, folder / "clouds", python, chosen.runs, say, set(only))
        works: dict[str, Callable[[Results, Service], object]] = {
            "c": partial(deployments.no_ops, runs=quick, script=script),
            "j": partial(deployments.previews, runs=quick, script=script),
            "d": partial(deployments.rollbacks, runs=quick, script=script),
            "e": partial(deployments.helps, runs=quick),
            "k": partial(growth.growth, say=say),
            "f": partial(switches.switches, say=say, count=chosen.switches, wanted=chosen.requests),
            "l": partial(distant.over_ssh, folder=folder / "ssh", python=python, runs=chosen.runs, say=say),
            "m": partial(https.https, folder=folder / "acme", say=say),
            "n": partial(
                kubernetes.on_cluster, folder=folder / "cluster", python=python, runs=chosen.runs, say=say
            ),
        }
        for key, work in works.items():
            if key in only:
                say(MEASUREMENTS[key])
                work(results, ours)


def profile(results: Results, folder: Path) -> None:
    """Print where the time of four commands goes."""
    with deployed(folder / "curtainup", service.python(folder)) as ours:
        found = profiles.profiles(ours, say)
    for one in found:
        print(profiles.table(one), end="\n\n")
    results.raw["profile"] = [asdict(one) for one in found]


@contextmanager
def deployed(folder: Path, python: Path, costs: list[Cost] | None = None) -> Iterator[Service]:
    """Give a service with two releases on live, and destroy it at the end; `costs` get what they took."""
    one = service.new(folder, python)
    try:
        for name in ("first", "second"):
            say(f"curtainup's {name} deployment")
            one.greet(name)
            cost = deployments.curtainup(one, "deploy")
            if costs is not None:
                costs.append(cost)
        yield one
    finally:
        one.remove()


def say(text: str) -> None:
    """Show progress."""
    print(f"bench: {text}", file=sys.stderr, flush=True)


def _keys(text: str) -> set[str]:
    keys = set(text.split(","))
    if unknown := keys - set(MEASUREMENTS):
        raise argparse.ArgumentTypeError(f"{', '.join(sorted(unknown))}: not among {', '.join(MEASUREMENTS)}")
    return keys


if __name__ == "__main__":
    main()
