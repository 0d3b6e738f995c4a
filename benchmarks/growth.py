"""(k) how time grows: with past releases, with the size of the source, and with the acceptance tests."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import asdict

from benchmarks.deployments import curtainup
from benchmarks.measure import Cost, spread
from benchmarks.report import Line, Results
from tests.e2e.service import Service

RELEASES, MEGABYTES, TESTS = (1, 10, 50), (1, 100), (10, 500)
MB = 1_000_000
RUNS = 3
NOISE = 1.2
"""How much longer the same work may take."""
MANY = """\
import pytest


@pytest.mark.parametrize("number", range({count}))
def test_one_of_many(number):
    assert number < {count}
"""

Say = Callable[[str], None]


def growth(results: Results, service: Service, say: Say) -> None:
    """Measure (k) on a service with two releases on live, of which the first is past."""
    _releases(results, service, say)
    _sizes(results, service, say)
    _tests(results, service, say)


def _releases(results: Results, service: Service, say: Say) -> None:
    """Deploy again and again, and measure where as many releases are past; the work is always the same."""
    past = 1
    changes, nothing = [], []
    for count in RELEASES:
        for number in range(past, count):
            say(f"release {number + 1} of {RELEASES[-1]}")
            service.greet(f"release {number}")
            curtainup(service, "deploy")
        say(f"with {count} past releases")
        changes.append(_changes(service, f"after {count}"))
        nothing.append([curtainup(service, "deploy") for _ in range(RUNS)])
        past = max(past, count) + RUNS
    for what, costs in (("one-line change", changes), ("no-op", nothing)):
        _compare(results, f"{what}, past releases", RELEASES, costs, [1.0] * len(RELEASES))


def _sizes(results: Results, service: Service, say: Say) -> None:
    costs = []
    for size in MEGABYTES:
        say(f"with {size} MB of source")
        (service.folder / "data.bin").write_bytes(os.urandom(size * MB))
        service.commit(f"Have {size} MB")
        curtainup(service, "deploy")
        costs.append(_changes(service, f"of {size} MB"))
    (service.folder / "data.bin").unlink()
    service.commit("Have no data")
    _compare(
        results,
        "one-line change, MB of source",
        MEGABYTES,
        costs,
        [size / MEGABYTES[0] for size in MEGABYTES],
    )


def _tests(results: Results, service: Service, say: Say) -> None:
    costs = []
    for count in TESTS:
        say(f"with {count} acceptance tests")
        service.write("testaccept/test_many.py", MANY.format(count=count))
        service.commit(f"Have {count} tests")
        costs.append(_changes(service, f"with {count} tests"))
    _compare(
        results, "one-line change, acceptance tests", TESTS, costs, [count / TESTS[0] for count in TESTS]
    )


def _changes(service: Service, what: str) -> list[Cost]:
    found = []
    for number in range(RUNS):
        service.greet(f"{what} {number}")
        found.append(curtainup(service, "deploy"))
    return found


def _compare(
    results: Results, what: str, sizes: Sequence[int], costs: Sequence[list[Cost]], work: Sequence[float]
) -> None:
    """Add the seconds by size, and how they have grown; they may not grow faster than the work."""
    medians = [spread([cost.wall for cost in some]) for some in costs]
    for size, median in zip(sizes, medians, strict=True):
        results.lines.append(Line("k", f"{what}: {size}", median.median, "s", range=median))
    for size, median, bound in list(zip(sizes, medians, work, strict=True))[1:]:
        grown = median.median / medians[0].median
        results.lines.append(Line("k", f"  {size} / {sizes[0]}", grown, "x", max(bound, NOISE)))
    results.raw.setdefault("k", {})[what] = [[asdict(cost) for cost in some] for some in costs]
