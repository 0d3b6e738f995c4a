"""What Beanstalk says of its environments while an update waits for them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import Any

from curtainup.errors import CurtainupError
from curtainup.platforms import amazon

FIRST, PERIOD = 2.0, 10.0
"""Seconds until the first look, and between two: the API is shared with everybody in the account."""

Clock = Callable[[], float]


@contextmanager
def watched(
    client: Callable[[], Any], application: str, on_progress: Callable[[str], None]
) -> Iterator[None]:
    """Tell, while a block runs, which environments of an application are not ready, and since when.

    Args:
        client: gives a client of Elastic Beanstalk; not called by what ends soon.
        application: whose environments are looked at.
        on_progress: takes one line at a time.

    """
    ended = Event()
    watcher = Thread(
        target=_watch, args=(client, application, on_progress, ended), name="beanstalk", daemon=True
    )
    watcher.start()
    try:
        yield
    finally:
        ended.set()
        watcher.join()


class States:
    """In which state each environment is, and since when."""

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._since: dict[str, tuple[str, float]] = {}

    def lines(self, environments: list[dict[str, Any]], events: list[dict[str, Any]]) -> list[str]:
        """Return a line for each environment that is not ready.

        Args:
            environments: as DescribeEnvironments tells them.
            events: as DescribeEvents tells them, newest first.

        """
        busy = [one for one in environments if one["Status"] not in {"Ready", "Terminated"}]
        return [self._line(one, events) for one in busy]

    def _line(self, one: dict[str, Any], events: list[dict[str, Any]]) -> str:
        name, status = one["EnvironmentName"], one["Status"]
        known = self._since.get(name)
        if known is None or known[0] != status:
            known = self._since[name] = (status, self._clock())
        said = next((event["Message"] for event in events if event.get("EnvironmentName") == name), "")
        seconds = self._clock() - known[1]
        return f"{name} is {status}, {one.get('Health', 'Grey')}, for {seconds:.0f} s" + (
            f": {said}" if said else ""
        )


def _watch(
    client: Callable[[], Any], application: str, on_progress: Callable[[str], None], ended: Event
) -> None:
    states, pause = States(), FIRST
    while not ended.wait(pause):
        pause = PERIOD
        try:
            with amazon.said_clearly("elasticbeanstalk"):
                found = client()
                environments = found.describe_environments(ApplicationName=application, IncludeDeleted=False)[
                    "Environments"
                ]
                events = found.describe_events(ApplicationName=application, MaxRecords=20)["Events"]
        except CurtainupError as error:
            on_progress(f"Beanstalk does not say how far it is: {error.what}")
            continue
        for line in states.lines(environments, events):
            on_progress(line)
