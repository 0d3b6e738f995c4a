"""The image in a container of the Docker engine that builds, for the local gate."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from threading import Thread
from typing import TYPE_CHECKING, Any

from curtainup.errors import BuildFailed, DiskFull, SetupError
from curtainup.gates import asking, health, own_address
from curtainup.model.release_settings import variables
from curtainup.model.targets.docker import DockerSettings
from curtainup.platforms.docker import confinement, placement, surroundings
from curtainup.platforms.docker import container as containers
from curtainup.platforms.docker.labels import ENVIRONMENT, LOCAL, SERVICE
from curtainup.targets.docker.target import runtime
from curtainup.util.secrets import Secret

if TYPE_CHECKING:
    import docker
    from docker.errors import APIError
    from docker.models.containers import Container

    from curtainup.session import Session


@dataclass(frozen=True)
class LocalContainer:
    """A running container, and its URL."""

    name: str
    url: str


@dataclass(frozen=True)
class Started:
    """The image in a local container of a session.

    Attributes:
        url: on the loopback address of the Docker engine's machine.
        reached: the URL by which this machine reaches it.
        headers: what requests to it have to bear.
        wait_until_healthy: waits for it.
        own_url: its URL on Docker's network; None where that is not reached from here.

    """

    url: str
    reached: str
    headers: Mapping[str, str]
    wait_until_healthy: Callable[[], object]
    own_url: Callable[[], str | None] = lambda: None


def settings_of(session: Session) -> DockerSettings:
    """Return what the image runs with at the local gate.

    An engine that only builds has none of the networks and volumes that are beside the environments.
    """
    service = session.service
    found = runtime(service.local, https=service.config.https_host(service.first) is not None)
    update: dict[str, Any] = {"env": {**found.env, "PYM_ENV": "dev"}}
    if session.accounts.builder is not session.at(service.first).accounts.engine:
        update |= {"networks": (), "volumes": ()}
    return found.model_copy(update=update)


@contextmanager
def started(session: Session, image: str, version: str) -> Iterator[Started]:
    """Run an image as the first environment would run it, with PYM_ENV `dev`; see `running`."""
    config, settings, engine = session.service.local, settings_of(session), session.accounts.builder
    host = engine.host
    with running(
        engine.client,
        session.marks,
        image,
        version,
        settings,
        session.service.local_secrets,
        host.is_free,
    ) as local:
        container = containers.Container(
            lambda: engine.client, local.name, settings.container_port, session.service.redact
        )
        how = asking.of_environment(session.service.config, config)
        reached = host.url(local.url)
        yield Started(
            local.url,
            reached,
            how.headers,
            lambda: health.wait_until_healthy(
                reached,
                how,
                container,
                timeout=config.start_timeout,
                cancelled=session.run.cancelled,
            ),
            lambda: _own_url(engine.client, local.name, settings.container_port) if host.is_here else None,
        )


def _own_url(client: docker.DockerClient, name: str, port: int) -> str | None:
    networks = client.containers.get(name).attrs["NetworkSettings"]["Networks"]
    addresses = [str(one["IPAddress"]) for one in networks.values() if one.get("IPAddress")]
    host = next(iter(addresses), None)
    return f"http://{host}:{port}" if host and own_address.is_reached(host, port) else None


@contextmanager
def running(
    client: docker.DockerClient,
    marks: Mapping[str, str],
    image: str,
    version: str,
    settings: DockerSettings,
    secrets: Mapping[str, Secret],
    free: placement.Free = placement.is_free,
) -> Iterator[LocalContainer]:
    """Run the image as a release would run, and remove the container afterwards.

    A thread removes the container while the run continues; the process does not end before that thread.

    Args:
        client: the Docker engine.
        marks: the labels that say who makes it, under which lock; see `Session.marks`.
        image: the image.
        version: its version.
        settings: what it runs with.
        secrets: by the variable's name.
        free: says whether a port of the engine's machine is free.

    Raises:
        BuildFailed: the image cannot be started.
        DiskFull: the Docker engine has no space left.
        SetupError: the image is neither on this machine nor in its registry.

    """
    service = marks[SERVICE]
    port = placement.internal_port(f"{service}-{LOCAL}", (), free)
    name = f"{service}-{LOCAL}-{port}"
    plain = variables(settings, version)
    with _said_clearly(image):
        container = _create(
            client, name, image, {**marks, ENVIRONMENT: LOCAL}, settings, port, plain, secrets
        )
    try:
        with _said_clearly(image):
            surroundings.join(client.api, str(container.id), settings.networks)
            container.start()
        yield LocalContainer(name, f"http://127.0.0.1:{port}")
    finally:
        Thread(target=_remove, args=(container,), name=f"remove {name}").start()


def _remove(container: Container) -> None:
    """Remove a container; somebody else may remove it at the same time, which is no error."""
    from docker.errors import APIError

    with suppress(APIError):
        container.remove(force=True, v=True)


def _create(
    client: docker.DockerClient,
    name: str,
    image: str,
    labels: Mapping[str, str],
    settings: DockerSettings,
    port: int,
    plain: Mapping[str, str],
    secrets: Mapping[str, Secret],
) -> Container:
    values = {key: secret.reveal() for key, secret in secrets.items()}
    return client.containers.create(
        image,
        name=name,
        detach=True,
        init=True,
        environment={**plain, **values},
        labels=dict(labels),
        **confinement.of_release(settings),
        **surroundings.options(settings, trial=True),
        ports={f"{settings.container_port}/tcp": ("127.0.0.1", port)},
    )


@contextmanager
def _said_clearly(image: str) -> Iterator[None]:
    from docker.errors import APIError, ImageNotFound

    try:
        yield
    except ImageNotFound as error:
        raise nowhere(image) from error
    except APIError as error:
        raise not_started(error, image) from error


def nowhere(image: str, detail: str | None = None) -> SetupError:
    """Return what to tell of an image that neither the Docker engine nor the registry has."""
    return SetupError(
        "the image is neither here nor in its registry",
        where=image,
        consequence="nothing was tested, so nothing was deployed",
        fix="change the source or its Dockerfile so that it is built again, or push the image again",
        detail=detail,
    )


def not_started(error: APIError, image: str) -> BuildFailed | DiskFull:
    """Return what to tell of an image that the Docker engine does not start."""
    kind: type[BuildFailed | DiskFull] = BuildFailed
    what, fix = "the image could not be started", "check CMD and ENTRYPOINT in the Dockerfile"
    if "no space left" in str(error):
        kind, what = DiskFull, "no space is left on the disk"
        fix = "free some space (docker system df shows what images hold), then run the same command again"
    return kind(
        what,
        where=image,
        consequence="nothing was pushed; staging and live are as they were",
        fix=fix,
        detail=error.explanation,
    )
