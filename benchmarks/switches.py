"""(f) failed requests while traffic is switched, by `curtainup rollback` to and fro between two releases."""

from __future__ import annotations

import csv
import time
from collections.abc import Callable
from dataclasses import asdict

import requests

from benchmarks.load import KeptConnections, Seen, Users, wrk_is_there
from benchmarks.report import Line, Results
from tests.e2e.service import Service

SWITCHES = 20
REQUESTS = 200_000
LONGEST_SWITCH = 240.0
"""Seconds of load that one switch gets at most, to reach its share of the requests."""
LOOK_EVERY = 0.2


def switches(
    results: Results,
    service: Service,
    say: Callable[[str], None],
    *,
    count: int = SWITCHES,
    wanted: int = REQUESTS,
) -> Seen:
    """Measure (f), and return what the users have seen.

    Args:
        results: where the lines go.
        service: deployed, with two releases on live.
        say: told of each switch.
        count: how many switches.
        wanted: how many requests at least, over all of them.

    """
    url = service.url("live")
    stats = str(service.state.read(f"{service.name}-live").outputs["stats_url"])
    seen = Seen()
    moved: list[tuple[int, str]] = []
    with_wrk = wrk_is_there()
    if not with_wrk:
        say("wrk is not installed: kept connections are left out, and new ones do the counting")
    with Users(url, seen):
        for number in range(1, count + 1):
            seen.switch = number
            outgoing = service.serving("live")
            kept = KeptConnections(url, seen) if with_wrk else None
            share = _answered(stats) + wanted // count
            try:
                service.run("rollback")
                _wait_for(stats, share)
            finally:
                if kept is not None:
                    kept.stop()
            moved.append((number, outgoing))
            say(f"switch {number} of {count}: {sum(seen.requests.values()):,} requests, {seen.failed} failed")
    _report(results, seen, moved, wanted)
    return seen


def spanning(seen: Seen, switch: int, outgoing: str) -> int:
    """Return how many slow requests the outgoing release had under way when the next one first answered."""
    firsts = [
        at for (number, one), at in seen.first.items() if number == switch and one not in (outgoing, None)
    ]
    if not firsts:
        return 0
    turned = min(firsts)
    return sum(one.began < turned < one.ended and one.release == outgoing for one in seen.slow)


def _report(results: Results, seen: Seen, moved: list[tuple[int, str]], wanted: int) -> None:
    total = sum(seen.requests.values())
    in_flight = [spanning(seen, number, outgoing) for number, outgoing in moved]
    results.lines.extend(
        [
            Line("f", f"failed requests over {len(moved)} switches (curtainup rollback)", seen.failed, "", 0),
            Line("f", "requests in all", total, "", wanted, at_least=True),
            *(Line("f", f"  {who}", number, "") for who, number in sorted(seen.requests.items())),
            Line("f", "  slow ones under way at a switch, least", min(in_flight), ""),
            Line("f", "  slow ones under way at the switches, all", sum(in_flight), ""),
        ]
    )
    results.raw["f"] = {
        "requests": seen.requests,
        "failures": [asdict(failure) for failure in seen.failures],
        "slow requests under way at each switch": in_flight,
    }


def _wait_for(stats: str, share: int) -> None:
    """Wait until the proxy has taken its share of requests, or the time for it is over."""
    deadline = time.monotonic() + LONGEST_SWITCH
    while _answered(stats) < share and time.monotonic() < deadline:
        time.sleep(LOOK_EVERY)


def _answered(stats: str) -> int:
    """Return how many requests the proxy has taken since its start (HAProxy's management guide, 9.1)."""
    with requests.Session() as session:
        session.trust_env = False
        answer = session.get(f"{stats}/stats;csv;norefresh", timeout=10)
    rows = csv.DictReader(answer.text.removeprefix("# ").splitlines())
    return next(
        int(row["req_tot"]) for row in rows if (row["pxname"], row["svname"]) == ("public", "FRONTEND")
    )
