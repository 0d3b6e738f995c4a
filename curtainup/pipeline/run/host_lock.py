"""The lock of a service in the Docker engine, where all who deploy to one host see it, whoever they are.

A volume is the lock: the engine makes one of a name once, and gives the same one to whoever asks again. Its
labels name the holder, and are compared to see who made it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from threading import Event
from typing import TYPE_CHECKING

from curtainup.errors import Busy, Interrupted, SetupError
from curtainup.pipeline.run import heartbeat
from curtainup.pipeline.run.holder import Holder, from_json, in_json, is_dead, lives_here
from curtainup.platforms.docker import errors
from curtainup.platforms.docker.labels import LOCK, RUN

if TYPE_CHECKING:
    import docker

HOLDER = "curtainup.holder"
"""The label of a lock that tells its holder."""
PATIENCE = 5.0
"""Seconds to wait while another run takes a dead one's lock over."""
TRIES = 20
"""How many times to make a volume that the engine does not know right after."""
PAUSE = 0.1
"""Seconds between two of these times."""


@contextmanager
def held(
    client: docker.DockerClient, service: str, this: Holder, note: Callable[[str], None], cancelled: Event
) -> Iterator[None]:
    """Hold a service's lock in a Docker engine.

    Args:
        client: the engine.
        service: the service, or what else is locked.
        this: this run.
        note: told of a lock that is taken over from a run that is dead, and of one that is lost.
        cancelled: ends a wait for another run's sign of life; is set if this run was taken for dead.

    Raises:
        Busy: another run holds it, or may do so.
        SetupError: the engine does not answer, or does not keep the volume.
        Interrupted: the run was cancelled while the engine did not keep the volume.

    """
    name = f"curtainup-lock-{service}"
    with errors.translated(
        "the Docker engine cannot make the volume that is the lock of the service",
        where=f"volume {name}",
        consequence="two runs could work on the service at once, so this one did not start",
    ):
        _acquire(client, name, service, this, note, cancelled)

    def lost() -> None:
        note(f"another run has taken over the lock of {service}, as this one gave no sign of life: it stops")
        cancelled.set()

    def still_holds() -> bool:
        """Make the volume again if it is gone, as after `docker volume prune`; nobody else has it then.

        Nor has anybody if the engine does not keep it. A run that was cancelled holds its lock while it puts
        things back, so it asks as often as others.
        """
        try:
            return _made(client, name, service, this, Event()).get(RUN) == this.run
        except SetupError:
            return True

    try:
        with heartbeat.beating(client, name, this.run, still_holds, lost):
            yield
    finally:
        _release(client, name, this)


def _release(client: docker.DockerClient, name: str, this: Holder) -> None:
    """Give the lock up. If the engine does not answer any more, the next run sees that this one is dead."""
    with suppress(*heartbeat.failures()):
        if _is_of(client, name, this.run):
            _remove(client, name)


def _acquire(
    client: docker.DockerClient,
    name: str,
    service: str,
    this: Holder,
    note: Callable[[str], None],
    cancelled: Event,
) -> None:
    deadline = None
    while (labels := _made(client, name, service, this, cancelled)).get(RUN) != this.run:
        other = _holder(labels)
        if other is None or lives_here(other, this):
            raise _busy(service, name, other)
        if not is_dead(other, this) and not heartbeat.is_silent(client, other.run, cancelled):
            raise _busy(service, name, other)
        if _take_over(client, name, service, this, labels, cancelled):
            note(f"took over the lock of {service} from process {other.pid}, which is dead")
        else:
            deadline = deadline or time.monotonic() + PATIENCE
            if time.monotonic() > deadline:
                raise _busy(service, name, other)
            time.sleep(0.1)


def _take_over(
    client: docker.DockerClient,
    name: str,
    service: str,
    this: Holder,
    dead: Mapping[str, str],
    cancelled: Event,
) -> bool:
    """Remove a dead run's lock; only one run at a time may, so that it is never a living one's."""
    turn = f"{name}-{dead.get(RUN)}"
    labels = _made(client, turn, service, this, cancelled)
    if labels.get(RUN) != this.run:
        other = _holder(labels)
        if other is not None and is_dead(other, this):
            _remove(client, turn)
        return False
    try:
        if not _is_of(client, name, dead.get(RUN)):
            return False
        heartbeat.remove(client, str(dead.get(RUN)))
        _remove(client, name)
    finally:
        _remove(client, turn)
    return True


def _made(
    client: docker.DockerClient, name: str, service: str, this: Holder, cancelled: Event
) -> Mapping[str, str]:
    """Make a volume unless there is one, and return the labels of the one that is there.

    They are asked for: once the engine was started again, its answer to `create` tells no labels of a volume
    that it had before (moby, `volume/service/restore.go`: `restore` keeps the driver's volume, without them).
    """
    labels = {LOCK: service, RUN: this.run, HOLDER: in_json(this)}
    for _ in range(TRIES):
        client.api.create_volume(name, labels=labels)
        if (found := _labels(client, name)) is not None:
            return found
        if cancelled.wait(PAUSE):
            raise Interrupted("interrupted while the lock was made", where=f"volume {name}")
    raise SetupError(
        "the Docker engine does not keep the volume that is the lock of the service",
        where=f"volume {name}",
        consequence="two runs could work on the service at once, so this one did not start",
        fix="end what removes volumes there all the time, or else restart the Docker engine",
        detail=f"curtainup made the volume {TRIES} times, and the engine did not know it right after",
    )


def _labels(client: docker.DockerClient, name: str) -> Mapping[str, str] | None:
    """Return the labels of a volume; None if it is gone."""
    from docker.errors import NotFound

    try:
        return dict(client.volumes.get(name).attrs.get("Labels") or {})
    except NotFound:
        return None


def _is_of(client: docker.DockerClient, name: str, run: str | None) -> bool:
    labels = _labels(client, name)
    return labels is not None and labels.get(RUN) == run


def _remove(client: docker.DockerClient, name: str) -> None:
    with suppress(*heartbeat.failures()):
        client.api.remove_volume(name)


def _holder(labels: Mapping[str, str]) -> Holder | None:
    return from_json(labels.get(HOLDER, ""))


def _busy(service: str, name: str, other: Holder | None) -> Busy:
    return Busy(
        f"another run of {service} is under way",
        where=other.told if other else f"volume {name} of the Docker engine",
        consequence="this run did not start",
        fix=f"wait for it to end; `docker volume rm {name}` only if you know that it is dead",
    )
