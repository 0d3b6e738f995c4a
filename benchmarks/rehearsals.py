"""(h) a rehearsed one-line change against a Docker host, (i) failed requests over a rehearsed switch."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from benchmarks.deployments import curtainup
from benchmarks.load import KeptConnections, Seen, Users, wrk_is_there
from benchmarks.measure import Cost
from benchmarks.report import Line, Results
from tests.e2e.rehearsed import BEANSTALK, CLOUD_RUN, Rehearsed
from tests.e2e.service import Service

CLOUDS = {"Cloud Run": CLOUD_RUN, "Beanstalk": BEANSTALK}
TIMES_DOCKER = 3.0
REQUESTS = 50_000
LONGEST = 240.0
"""Seconds of load that one switch gets at most, to reach its requests."""
PERIOD = 2.0

Say = Callable[[str], None]


def rehearsals(
    results: Results, docker: Service, folder: Path, python: Path, runs: int, say: Say, only: set[str]
) -> None:
    """Measure (h) and (i) on each cloud.

    Args:
        results: where the lines go.
        docker: deployed on a Docker host, to compare with.
        folder: for the rehearsed services.
        python: the interpreter for their tests.
        runs: repetitions of (h).
        say: told of progress.
        only: the measurements that are wanted.

    """
    for cloud, keys in CLOUDS.items():
        with _rehearsed(folder / cloud.partition(" ")[0], python, keys, say) as service:
            if "h" in only:
                _one_line_changes(results, cloud, docker, service, runs, say)
            if "i" in only:
                _switch(results, cloud, service, say)


def _one_line_changes(
    results: Results, cloud: str, docker: Service, service: Rehearsed, runs: int, say: Say
) -> None:
    """Measure (h): both take turns with the same changes."""
    here: list[Cost] = []
    there: list[Cost] = []
    for number in range(runs):
        say(f"one-line change {number + 1} of {runs}: a Docker host, {cloud}")
        docker.greet(f"{cloud} {number}")
        here.append(curtainup(docker, "deploy"))
        service.greet(f"{cloud} {number}")
        there.append(curtainup(service, "rehearse"))
    results.seconds("h", f"one-line change on a Docker host, beside {cloud}", here)
    results.seconds("h", f"one-line change rehearsed on {cloud}", there)
    ratios = [two.wall / one.wall for one, two in zip(here, there, strict=True)]
    results.compare("h", f"{cloud} / Docker host", ratios, "x", TIMES_DOCKER)


def _switch(results: Results, cloud: str, service: Rehearsed, say: Say) -> None:
    """Measure (i): a deployment under load, which lasts until enough requests were answered."""
    url, seen = service.url("live"), Seen()
    deadline = time.monotonic() + LONGEST
    with Users(url, seen):
        kept = KeptConnections(url, seen) if wrk_is_there() else None
        try:
            service.greet(f"{cloud} under load")
            service.deploy()
        finally:
            if kept is not None:
                kept.stop()
        while sum(seen.requests.values()) < REQUESTS and time.monotonic() < deadline:
            kept = KeptConnections(url, seen) if wrk_is_there() else None
            time.sleep(PERIOD)
            if kept is not None:
                kept.stop()
    total = sum(seen.requests.values())
    say(f"a switch on {cloud}: {total:,} requests, {seen.failed} failed")
    results.lines.extend(
        [
            Line("i", f"failed requests over a rehearsed switch on {cloud}", seen.failed, "", 0),
            Line("i", "  of requests in all", total, "", REQUESTS, at_least=True),
        ]
    )
    failures = [asdict(failure) for failure in seen.failures]
    results.raw.setdefault("i", {})[cloud] = {"requests": seen.requests, "failures": failures}


@contextmanager
def _rehearsed(folder: Path, python: Path, keys: dict[str, str], say: Say) -> Iterator[Rehearsed]:
    folder.mkdir(parents=True)
    service = Rehearsed(folder, python, **keys)
    try:
        for name in ("first", "second"):
            say(f"the {name} rehearsal, not measured")
            service.greet(name)
            service.deploy()
        yield service
    finally:
        service.remove()
