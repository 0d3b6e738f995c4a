"""A task on a Docker host: a container beside the release's, made as that is, and always removed."""

from __future__ import annotations

import io
import ipaddress
import tarfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from curtainup.config.tasks import Task
from curtainup.model.release import Release
from curtainup.model.release_settings import variables
from curtainup.model.targets.docker import DockerEnvironment, DockerSettings
from curtainup.platforms.docker import confinement, errors, surroundings
from curtainup.platforms.docker.labels import RUN
from curtainup.platforms.docker.output import follow
from curtainup.targets.task_result import Ran
from curtainup.util.process import Ended
from curtainup.util.secrets import Secret

if TYPE_CHECKING:
    import docker
    from docker.models.containers import Container

LABEL = "curtainup.task"
"""Tells a task's container from a release's."""
CODES = {126: "its command is not executable", 127: "its command was not found"}
"""What Docker's own init, and shells, say by their exit code."""


@dataclass(frozen=True)
class Place:
    """Where tasks run.

    Attributes:
        name: what the containers' names begin with.
        labels: what all of the place's containers are labelled with.
        network: the network to join, by its name; None is Docker's own.
        address: on that network.
        run: the id of the run.

    """

    name: str
    labels: Mapping[str, str]
    network: str | None = None
    address: str | None = None
    run: str = ""

    @classmethod
    def of(cls, stack: str, settings: DockerEnvironment, run: str = "") -> Place:
        """Return the place of an environment's tasks, on its network."""
        labels = {"curtainup.service": settings.service, "curtainup.environment": settings.name}
        return cls(stack, labels, stack, address(settings.subnet), run)


@dataclass(frozen=True)
class Brought:
    """What a task's container gets before it starts.

    Attributes:
        file: the path of a file that everybody may read.
        content: of that file.
        folder: the path of an empty volume, which goes with the container.

    """

    file: str
    content: bytes
    folder: str

    @property
    def packed(self) -> bytes:
        """The file in an archive that is unpacked at `/`."""
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as archive:
            entry = tarfile.TarInfo(self.file.lstrip("/"))
            entry.size, entry.mode = len(self.content), 0o644
            archive.addfile(entry, io.BytesIO(self.content))
        return packed.getvalue()


def run(
    client: docker.DockerClient,
    place: Place,
    release: Release,
    task: Task,
    secrets: Mapping[str, Secret],
    *,
    on_line: Callable[[str], None],
    cancel: threading.Event,
    brought: Brought | None = None,
) -> Ran:
    """Run a task to its end, or stop it as a release is stopped.

    Its command takes the place of the image's CMD; ENTRYPOINT, user and folder are the image's own. Its
    variables, its bounds and its network are the release's.

    Args:
        client: the Docker engine.
        place: where.
        release: the release in whose image it runs.
        task: what to run, and for how long at most.
        secrets: of the environment, by the variable's name.
        on_line: takes each line of its output and errors.
        cancel: stops it when set.
        brought: what it finds besides what is in the image.

    Raises:
        SetupError: Docker does not answer, or the image is gone.

    """
    made = _container(client, place, release, task, secrets, brought)
    with _said_clearly(release.image), made as container:
        name = f"container {container.name}"
        container.start()
        ended = follow(
            container,
            timeout=task.timeout,
            on_line=on_line,
            cancel=cancel,
            stop=lambda _: _stop(container, settings_of(release).stop_timeout),
        )
        code = int(container.wait()["StatusCode"])
        return _result(container, name, code, ended, settings_of(release))


def end(client: docker.DockerClient, labels: Mapping[str, str]) -> None:
    """Remove the tasks' containers that a run which was killed has left, whatever they are doing.

    The caller holds the service's lock, so none is a living run's.
    """
    wanted = [LABEL, *(f"{key}={value}" for key, value in labels.items())]
    for left in client.containers.list(all=True, filters={"label": wanted}, ignore_removed=True):
        _remove(left)


def address(subnet: str) -> str:
    """Return the task's address on the network, the last of it.

    Docker would give the lowest that is free, which may be that of a release that is starting again.
    """
    return str(ipaddress.ip_network(subnet)[-2])


def settings_of(release: Release) -> DockerSettings:
    """Return what a release on a Docker host runs with."""
    if not isinstance(release.settings, DockerSettings):
        raise TypeError(f"release {release.id} is not made for a Docker host")
    return release.settings


@contextmanager
def _container(
    client: docker.DockerClient,
    place: Place,
    release: Release,
    task: Task,
    secrets: Mapping[str, Secret],
    brought: Brought | None,
) -> Iterator[Container]:
    """Give a container that is not started yet, and remove it whatever happens."""
    settings = settings_of(release)
    values = {name: secret.reveal() for name, secret in secrets.items()}
    container = client.containers.create(
        release.image,
        command=list(task.command),
        name=f"{place.name}-{release.id}-{task.name}",
        environment={**variables(settings, release.version), **values},
        labels={**place.labels, "curtainup.release": release.id, LABEL: task.name, RUN: place.run},
        init=True,
        **confinement.of_release(settings),
        log_config=_kept(),
        healthcheck={"test": ["NONE"]},
        **_surroundings(settings, brought, trial=place.network is None),
        **_network(client, place),
    )
    try:
        surroundings.join(client.api, str(container.id), settings.networks)
        if brought is not None:
            container.put_archive("/", brought.packed)
        yield container
    finally:
        _remove(container)


def _surroundings(settings: DockerSettings, brought: Brought | None, *, trial: bool) -> dict[str, Any]:
    from docker.types import Mount

    found = surroundings.options(settings, trial=trial)
    if brought is None:
        return found
    own = Mount(target=brought.folder, source=None, type="volume")
    return {**found, "mounts": [*found.get("mounts", ()), own]}


def _network(client: docker.DockerClient, place: Place) -> dict[str, Any]:
    if place.network is None:
        return {}
    fixed = client.api.create_endpoint_config(ipv4_address=place.address)
    return {"network": place.network, "networking_config": {place.network: fixed}}


def _kept() -> Any:
    """Return how its output is kept until it is read, whatever the engine does by default."""
    from docker.types import LogConfig

    return LogConfig(type=LogConfig.types.JSON, config={"max-size": "10m", "max-file": "3"})


def _stop(container: Container, patience: int) -> None:
    from docker.errors import APIError

    with suppress(APIError):  # it has just ended by itself
        container.stop(timeout=patience)


def _remove(container: Container) -> None:
    from docker.errors import APIError

    with suppress(APIError):  # somebody else removed it, or does
        container.remove(force=True, v=True)


def _result(container: Container, name: str, code: int, ended: Ended, settings: DockerSettings) -> Ran:
    if ended is not Ended.BY_ITSELF:
        return Ran(None, ended, name)
    container.reload()
    if container.attrs["State"]["OOMKilled"]:
        why = f"it used more than its {settings.memory_mb} MiB of memory"
        return Ran(code, ended, name, why, "raise `memory_limit` in pym-config.yaml, or make it need less")
    fix = "check the command, and that its program is in the image" if code in CODES else ""
    return Ran(code, ended, name, CODES.get(code, ""), fix)


def _said_clearly(image: str) -> AbstractContextManager[None]:
    return errors.translated(
        "the Docker engine could not run a task",
        where=image,
        consequence="the release gets no traffic, and the environment is put back",
        fix="curtainup doctor, then deploy again",
        without_image="the release's image is gone",
    )
