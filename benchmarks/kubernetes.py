"""(n) a cluster of curtainup's own: a change, a rollback, a canary, a broken release, failed requests."""

from __future__ import annotations

import collections
import http.client
import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from subprocess import DEVNULL, Popen
from threading import Event, Thread
from typing import Any
from urllib.parse import urlsplit

from benchmarks.deployments import curtainup
from benchmarks.load import KeptConnections, Seen, Users, wrk_is_there
from benchmarks.measure import Cost
from benchmarks.report import Line, Results
from curtainup.errors import ReleaseUnhealthy, SetupError
from curtainup.setup.cluster import own
from curtainup.setup.cluster.models import Cluster
from tests.e2e.kube_cluster import kubectl
from tests.e2e.kube_service import Troupe
from tests.e2e.service import Service

TIMES_DOCKER = 2.0
ROLLBACK_SECONDS = 3.0
UP_SECONDS = 60.0
TOLD_SECONDS = 10.0
SWITCHES = 20
REQUESTS = 100_000
LONGEST_SWITCH = 120.0
"""Seconds of load that one switch gets at most, to reach its share of the requests."""
PERIOD = 2.0
"""Seconds of load at a time, until a switch has had its share."""
STEP, ANSWERS, POINTS = 10, 10_000, 1.0
"""The per cent of a canary's step, how many answers are counted, and how far their share may be off."""
STEP_SECONDS = 120
"""How long the step lasts: longer than the counting."""
ASKING = 4
KEYS = {"memory_limit": "128m", "replicas": 1, "drain_timeout": 5, "stop_timeout": 2}
CRASH = """
if os.environ.get("BREAK"):
    raise RuntimeError("there is no stage")

LONGEST_WAIT"""

Say = Callable[[str], None]


def on_cluster(results: Results, here: Service, folder: Path, python: Path, runs: int, say: Say) -> None:
    """Measure (n), with a cluster of this measurement alone.

    Args:
        results: where the lines go.
        here: deployed on this machine's Docker engine, to compare with.
        folder: for the service on the cluster.
        python: the interpreter for its tests.
        runs: repetitions of a change; rollbacks are repeated twice as often.
        say: told of progress.

    """
    began = time.monotonic()
    try:
        with own.running(say) as cluster:
            up = time.monotonic() - began
            results.lines.append(Line("n", "a cluster and its Gateway, until ready", up, "s", UP_SECONDS))
            with _placed(cluster, folder, python, say) as there:
                _changes(results, here, there, runs, say)
                _rollbacks(results, there, 2 * runs, say)
                _canary(results, there, say)
                _broken(results, there, say)
                _switches(results, there, say)
    except SetupError as error:
        say(f"{error.what}: nothing is measured")


@contextmanager
def _placed(cluster: Cluster, folder: Path, python: Path, say: Say) -> Iterator[Troupe]:
    folder.mkdir(parents=True)
    one = Troupe.placed(folder, python, cluster)
    one.edit("server.py", "\nLONGEST_WAIT", CRASH)
    one.configure(**one.on_shared_gateway(), **KEYS)
    try:
        for name in ("first", "second"):
            say(f"the {name} deployment on the cluster, not measured")
            one.greet(name)
            one.deploy()
        yield one
    finally:
        one.remove()


def _changes(results: Results, here: Service, there: Troupe, runs: int, say: Say) -> None:
    """Both take turns with the same changes."""
    costs: tuple[list[Cost], list[Cost]] = ([], [])
    for number in range(runs):
        say(f"one-line change {number + 1} of {runs}: a Docker host, the cluster")
        for service, measured in zip((here, there), costs, strict=True):
            service.greet(f"cluster {number}")
            measured.append(curtainup(service, "deploy"))
    results.seconds("n", "one-line change on a Docker host, beside the cluster", costs[0])
    results.seconds("n", "one-line change on the cluster", costs[1])
    ratios = [two.wall / one.wall for one, two in zip(*costs, strict=True)]
    results.compare("n", "the cluster / a Docker host", ratios, "x", TIMES_DOCKER)


def _rollbacks(results: Results, there: Troupe, runs: int, say: Say) -> None:
    say("rollbacks on the cluster")
    results.seconds(
        "n",
        "rollback on the cluster",
        [curtainup(there, "rollback") for _ in range(runs)],
        ROLLBACK_SECONDS,
    )


def _canary(results: Results, there: Troupe, say: Say) -> None:
    """Count who answers while a canary has its share."""
    say(f"{ANSWERS:,} answers while a canary has {STEP} %")
    there.greet("canary")
    command = there.command("deploy", "--canary", str(STEP), "--every", f"{STEP_SECONDS}s")
    with Popen(command, cwd=there.folder, env=there.variables(), stdout=DEVNULL, stderr=DEVNULL) as deploying:
        _wait(lambda: STEP in there.traffic("live").values() and "canary" in _says(there, 100))
        counted = _says(there, ANSWERS)
        code = deploying.wait()
    off = abs(counted["canary"] / counted.total() * 100 - STEP)
    results.lines.append(
        Line("n", f"canary's share off its {STEP} %, of {ANSWERS:,} answers", off, "points", POINTS)
    )
    results.raw.setdefault("n", {})["canary"] = {**counted, "exit code": code}


def _broken(results: Results, there: Troupe, say: Say) -> None:
    """Deploy a release that crashes, and see how long after its first crash it was told."""
    say("a broken release")
    there.configure(environments={"live": {"env": {"BREAK": "1"}}})
    with _first_crash(there) as seen:
        there.deploy(code=ReleaseUnhealthy.exit_code)
    there.configure(environments=None)
    ended = next(step.ended for step in there.last_run().steps if step.name == "candidate")
    assert ended is not None
    told = datetime.fromisoformat(ended).timestamp() - seen[0]
    results.lines.append(
        Line("n", "a broken release, from its first crash until told", told, "s", TOLD_SECONDS)
    )


@contextmanager
def _first_crash(there: Troupe) -> Iterator[list[float]]:
    """Give when a container of live first ended, by the cluster's own clock, to the second."""
    over, seen = Event(), list[float]()

    def look() -> None:
        while not over.wait(0.2) and not seen:
            seen.extend(sorted(_ends(there.objects("live", "pods")))[:1])

    looking = Thread(target=look, daemon=True)
    looking.start()
    try:
        yield seen
    finally:
        over.set()
        looking.join()


def _ends(pods: list[dict[str, Any]]) -> Iterator[float]:
    for pod in pods:
        for status in pod["status"].get("containerStatuses", ()):
            for state in (status.get("state", {}), status.get("lastState", {})):
                if "terminated" in state:
                    yield datetime.fromisoformat(state["terminated"]["finishedAt"]).timestamp()


def _switches(results: Results, there: Troupe, say: Say) -> None:
    """Switch to and fro under load, and stop the outgoing release's pods while it lasts."""
    host, seen = urlsplit(there.url("live")).netloc, Seen()
    stopped = 0
    with Users(there.gateway, seen, host):
        for number in range(1, SWITCHES + 1):
            seen.switch = number
            outgoing = next(one for one, share in there.traffic("live").items() if share)
            share = _total(seen) + REQUESTS // SWITCHES
            with _kept(there, seen, host):
                there.run("rollback")
                stopped += _stop(there, outgoing)
            deadline = time.monotonic() + LONGEST_SWITCH
            while _total(seen) < share and time.monotonic() < deadline:
                with _kept(there, seen, host):
                    time.sleep(PERIOD)
            say(f"switch {number} of {SWITCHES}: {_total(seen):,} requests, {seen.failed} failed")
    what = f"failed requests over {SWITCHES} switches, {stopped} outgoing pods stopped"
    results.lines.extend(
        [
            Line("n", what, seen.failed, "", 0),
            Line("n", "requests in all", _total(seen), "", REQUESTS, at_least=True),
            *(Line("n", f"  {who}", number, "") for who, number in sorted(seen.requests.items())),
        ]
    )
    failures = [asdict(failure) for failure in seen.failures]
    results.raw.setdefault("n", {})["switches"] = {"requests": seen.requests, "failures": failures}


def _total(seen: Seen) -> int:
    return sum(seen.requests.values())


@contextmanager
def _kept(there: Troupe, seen: Seen, host: str) -> Iterator[None]:
    """Keep connections busy while a block runs, where wrk is installed."""
    kept = KeptConnections(there.gateway, seen, host) if wrk_is_there() else None
    try:
        yield
    finally:
        if kept is not None:
            kept.stop()


def _stop(there: Troupe, release: str) -> int:
    """Stop the pods of a release, which its Deployment makes again; return how many there were."""
    place = ("--namespace", there.namespace("live"), "--selector", f"curtainup.release={release}")
    return len(kubectl(there.on, "delete", "pods", *place, "--output=name").split())


def _says(there: Troupe, wanted: int) -> collections.Counter[str]:
    """Return what live greets with, counted over some answers."""
    with ThreadPoolExecutor(ASKING) as users:
        asked = [users.submit(_greetings, there, wanted // ASKING) for _ in range(ASKING)]
        return sum((one.result() for one in asked), collections.Counter[str]())


def _greetings(there: Troupe, wanted: int) -> collections.Counter[str]:
    way = urlsplit(there.gateway)
    host = urlsplit(there.url("live")).netloc
    connection = http.client.HTTPConnection(str(way.hostname), way.port, timeout=30)
    seen: collections.Counter[str] = collections.Counter()
    for _ in range(wanted):
        connection.request("GET", "/", headers={"Host": host})
        seen[json.loads(connection.getresponse().read())["says"]] += 1
    connection.close()
    return seen


def _wait(is_so: Callable[[], object]) -> None:
    """Wait until something is so.

    Raises:
        TimeoutError: it has not become so.

    """
    deadline = time.monotonic() + 300
    while not is_so():
        if time.monotonic() > deadline:
            raise TimeoutError("the canary never got its share")
        time.sleep(0.2)
