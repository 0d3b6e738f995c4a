"""Signs of life of a run that holds a lock in the Docker engine.

Whether a process on another machine or in another container lives cannot be seen from here: a CI job that was
killed would lock a service for ever. So a run makes a new volume every so often, and removes the one before.
Whoever waits sees by its own clock whether one comes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import count
from threading import Event, Thread
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import docker

BEAT = "curtainup.beat"
"""The label of a sign of life: the run's id."""
EVERY = 15.0
"""Seconds between two signs of life."""
PATIENCE = 90.0
"""Seconds without one after which a run is taken for dead."""
LOOK = 1.0
"""Seconds between two looks."""


@contextmanager
def beating(
    client: docker.DockerClient, name: str, run: str, is_held: Callable[[], bool], lost: Callable[[], None]
) -> Iterator[None]:
    """Give signs of life while the block runs.

    Args:
        client: the Docker engine.
        name: of the lock.
        run: the id of the run.
        is_held: says whether the run still has its lock.
        lost: is called once if it has not, as the run was taken for dead: the machine may have slept.

    """
    stop, there = Event(), [_sign(name, run, 0)]
    client.volumes.create(there[0], labels={BEAT: run})

    def beat() -> None:
        for number in count(1):
            if stop.wait(EVERY):
                return
            with suppress(*failures()):
                if not is_held():
                    lost()
                    return
                there.append(_sign(name, run, number))
                client.volumes.create(there[-1], labels={BEAT: run})
                _remove(client, there, 1)

    thread = Thread(target=beat, name="signs of life", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        with suppress(*failures()):
            _remove(client, there, 0)


def is_silent(client: docker.DockerClient, run: str, cancelled: Event) -> bool:
    """Wait for a run's next sign of life; return whether none came. A run that has ended gives one more."""
    seen, deadline = signs(client, run), time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if cancelled.wait(LOOK) or signs(client, run) != seen:
            return False
    return True


def signs(client: docker.DockerClient, run: str) -> set[str]:
    """Return the names of a run's signs of life that are there."""
    found = client.volumes.list(filters={"label": f"{BEAT}={run}"})
    return {str(one.name) for one in found}


def remove(client: docker.DockerClient, run: str) -> None:
    """Remove what a run has left as signs of life."""
    with suppress(*failures()):
        for left in signs(client, run):
            client.api.remove_volume(left)


def _sign(name: str, run: str, number: int) -> str:
    return f"{name}-{run}-{number}"


def _remove(client: docker.DockerClient, there: list[str], kept: int) -> None:
    """Remove signs, the oldest first, until only so many are there; one may have been removed by hand."""
    from docker.errors import NotFound

    while len(there) > kept:
        with suppress(NotFound):
            client.api.remove_volume(there[0])
        del there[0]


def failures() -> tuple[type[Exception], ...]:
    """Return what an engine that does not answer just now raises."""
    from docker.errors import DockerException
    from requests import RequestException

    return DockerException, RequestException
