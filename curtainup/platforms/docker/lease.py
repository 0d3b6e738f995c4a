"""A lease on something of a Docker host: whoever has a container of its name holds it.

All who use a host see its containers, from whatever machine and with whatever state. The container's program
ends with its input, which the Docker engine closes as soon as the holder's connection ends. So a holder that
was killed holds nothing any more.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from threading import Event
from typing import TYPE_CHECKING, Any

from curtainup.errors import Busy, Interrupted
from curtainup.platforms.docker import clock, errors

if TYPE_CHECKING:
    from docker import APIClient

POLL = 0.5
PATIENCE = 900.0
"""Seconds to wait for another holder, who pulls images and starts containers at most."""
GRACE = 60
"""Seconds after which a container that its maker has not started never will be."""


@contextmanager
def held(
    api: APIClient, name: str, image: str, waits: Callable[[], None], cancelled: Event
) -> Iterator[None]:
    """Hold the lease of a name while a block runs; wait for it if somebody else holds it.

    Args:
        api: of the Docker engine.
        name: of the lease, which no container has.
        image: an image with `cat`, which the Docker engine has.
        waits: called once if somebody else holds the lease.
        cancelled: ends the wait.

    Raises:
        Interrupted: the wait was cancelled.
        Busy: somebody else has held it for too long.
        SetupError: the Docker engine refuses.

    """
    from docker.errors import DockerException
    from requests import RequestException

    with errors.translated(
        f"{name} cannot be held", where=f"container {name}", consequence="nothing was done"
    ):
        container = _take(api, name, image, waits, cancelled)
        connection = api.attach_socket(container, {"stdin": 1, "stream": 1})
        api.start(container)
    try:
        yield
    finally:
        with suppress(OSError):
            getattr(connection, "_sock", connection).close()  # the SDK leaves it open
            connection.close()
        with suppress(DockerException, RequestException):  # it ends with its connection in any case
            _remove(api, container)


def _take(api: APIClient, name: str, image: str, waits: Callable[[], None], cancelled: Event) -> str:
    deadline = None
    while (container := _make(api, name, image)) is None:
        if deadline is None:
            waits()
            deadline = time.monotonic() + PATIENCE
        if time.monotonic() > deadline:
            raise _busy(name)
        if cancelled.wait(POLL):
            raise Interrupted(f"interrupted while somebody else held {name}", where=f"container {name}")
        _remove_unstarted(api, name)
    return container


def _busy(name: str) -> Busy:
    return Busy(
        f"somebody else has held {name} for {PATIENCE / 60:.0f} minutes",
        where=f"container {name} of the Docker engine",
        consequence="nothing was changed",
        fix=f"wait for the other run to end; `docker rm --force {name}` only if you know that it is dead",
    )


def _make(api: APIClient, name: str, image: str) -> str | None:
    """Make the container, and return its id; None if somebody else has made it."""
    from docker.errors import APIError

    try:
        made: dict[str, Any] = api.create_container(
            image,
            name=name,
            entrypoint=["cat"],
            stdin_open=True,
            network_disabled=True,
            host_config=api.create_host_config(auto_remove=True, read_only=True, cap_drop=["ALL"]),
        )
    except APIError as error:
        if error.status_code == 409:
            return None
        raise
    return str(made["Id"])


def _remove_unstarted(api: APIClient, name: str) -> None:
    """Remove a container whose maker was killed before it could start it."""
    from docker.errors import NotFound

    with suppress(NotFound):
        found = api.inspect_container(name)
        age = clock.now(api) - datetime.fromisoformat(found["Created"])
        if found["State"]["Status"] == "created" and age.total_seconds() > GRACE:
            _remove(api, found["Id"])


def _remove(api: APIClient, container: str) -> None:
    """Remove a container, which the Docker engine may be removing already."""
    from docker.errors import APIError

    try:
        api.remove_container(container, force=True)
    except APIError as error:
        if error.status_code not in {404, 409}:
            raise
