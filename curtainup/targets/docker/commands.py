"""A command of somebody's on a Docker host: in a container of its own beside a release, or in the release's.

A container of its own is made as those of tasks are. It takes its variables, secrets among them, from the
release's container, so nobody has to have the secrets at hand. The engine removes it as soon as it has ended.
"""

from __future__ import annotations

import ipaddress
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from curtainup.errors import CurtainupError, HostUnreachable, Interrupted, SetupError
from curtainup.model.process import Process
from curtainup.model.release import Release
from curtainup.model.targets.docker import DockerSettings
from curtainup.platforms.docker import attached, confinement, errors, surroundings
from curtainup.platforms.docker.attached import Lost
from curtainup.platforms.docker.labels import EXEC, RELEASE, RUN
from curtainup.targets.command import NOT_STARTED, Asked, moved, refused
from curtainup.targets.docker.tasks import Place, settings_of
from curtainup.util.terminal import Terminal

if TYPE_CHECKING:
    import docker
    from docker import APIClient

PATIENCE = 3
"""How many signals that should end a command are passed on; the next one ends it with its container."""
LOOK = 0.1
_ENDING = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}


def refusal(client: docker.DockerClient) -> CurtainupError | None:
    """Return why no command can be run by an engine; None if one can.

    Python cannot say on a TLS connection that input has ended, and still read from it.
    """
    address = str(client.api.base_url)
    if not address.startswith("https://"):
        return None
    return refused(
        "no command of yours can be run by a Docker engine behind TLS", address, "use docker_host: ssh://HOST"
    )


def run_beside(client: docker.DockerClient, place: Place, release: Release, asked: Asked) -> int:
    """Run a command in a new container of a release, and return its exit code.

    It takes the place of the image's CMD; ENTRYPOINT, user and folder are the image's own. If it is to run
    like a process, its bounds are that one's.

    Raises:
        SetupError: Docker does not answer, or the image or the release's container is gone.
        HostUnreachable: the connection to the engine was lost.
        Interrupted: it was ended, as it did not heed signals.

    """
    api = client.api
    with _said_clearly(f"{place.name}-{release.id}"):
        found = api.inspect_container(f"{place.name}-{release.id}")
        with _container(client, place, release, asked, found["Config"]["Env"] or []) as made:
            given = api.attach_socket(made, {"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1, **_KEYS})
            ended = _awaited(api, made)
            api.start(made)
            passing = _Passing(api, made, asked.terminal)
            with _lost(f"container {place.name}-{release.id}", "its container is removed"):
                passing.resize()
                attached.pump(given, asked.terminal, is_tty=asked.terminal.is_one, on_signal=passing.take)
                return int(ended.json()["StatusCode"])


def run_inside(client: docker.DockerClient, container: str, asked: Asked, release: str = "") -> int:
    """Run a command in the container of a release, or of a process, and return its exit code.

    Args:
        client: the Docker engine.
        container: the name of the container.
        asked: what to run.
        release: the id of the release that the container has to be of; empty takes any.

    Raises:
        SetupError: Docker does not answer, or the container does not run.
        HostUnreachable: the connection to the engine was lost; the command may go on.
        Interrupted: Ctrl-C; without a terminal the command goes on.
        RefusedError: the engine is behind TLS, or the container is another release's by now.

    """
    if (why := refusal(client)) is not None:
        raise why
    api, is_tty = client.api, asked.terminal.is_one
    with _said_clearly(container, "release" if asked.process is None else "process"):
        entered = _entered(api, container, asked, release)
        job = str(
            api.exec_create(entered, list(asked.words), stdin=True, tty=is_tty, detach_keys=attached.DETACH)[
                "Id"
            ]
        )
        given = api.exec_start(job, tty=is_tty, socket=True)

        def resize() -> None:
            if is_tty:
                height, width = asked.terminal.size
                with suppress(*_failures()):
                    api.exec_resize(job, height=height, width=width)

        def take(number: int) -> None:
            if number == signal.SIGWINCH:
                resize()
            else:
                raise Interrupted(
                    "interrupted", where=f"container {container}", consequence="the command may go on there"
                )

        with _lost(f"container {container}", "the command may go on there"):
            resize()
            attached.pump(given, asked.terminal, is_tty=is_tty, on_signal=take)
            while (code := attached.exit_code_of(api, job)) is None:
                time.sleep(LOOK)  # it has closed its output, and goes on
            return code


def _entered(api: APIClient, container: str, asked: Asked, release: str) -> str:
    """Return the id of the container that has a name now: by that, another one is never entered."""
    found = api.inspect_container(container)
    its = (found["Config"].get("Labels") or {}).get(RELEASE, "")
    if asked.process is not None and release not in {"", its}:
        raise moved(asked.process.name, release, f"container {container}")
    return str(found["Id"])


def left(client: docker.DockerClient, labels: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return the containers of commands with such labels: the id of each, and what says who runs it."""
    wanted = [EXEC, *(f"{key}={value}" for key, value in labels.items())]
    found = client.api.containers(all=True, filters={"label": wanted})
    return [(str(one["Id"]), str(one["Labels"].get(EXEC, ""))) for one in found]


def end(client: docker.DockerClient, containers: Sequence[str]) -> None:
    """Remove containers of commands, whatever they are doing."""
    for one in containers:
        _remove(client.api, one)


_KEYS = {"detachKeys": attached.DETACH}


class _Passing:
    """Passes signals on to the container of a command."""

    def __init__(self, api: APIClient, container: str, terminal: Terminal) -> None:
        self._api, self._container, self._terminal = api, container, terminal
        self._taken = 0

    def take(self, number: int) -> None:
        """Take one signal.

        Raises:
            Interrupted: the command has not heeded those before.

        """
        if number == signal.SIGWINCH:
            self.resize()
            return
        self._taken += number in _ENDING
        if self._taken > PATIENCE:
            raise Interrupted(
                "the command was ended, as it did not heed signals", consequence="its container is removed"
            )
        with suppress(*_failures()):
            self._api.kill(self._container, signal.Signals(number).name)

    def resize(self) -> None:
        """Tell the command how large the terminal is."""
        if self._terminal.is_one:
            height, width = self._terminal.size
            with suppress(*_failures()):
                self._api.resize(self._container, height=height, width=width)


@contextmanager
def _container(
    client: docker.DockerClient, place: Place, release: Release, asked: Asked, variables: Sequence[str]
) -> Iterator[str]:
    """Give a container that is not started yet, and remove it whatever happens."""
    settings = _bounded(settings_of(release), asked.process)
    made = client.containers.create(
        release.image,
        command=list(asked.words),
        name=f"{place.name}-{release.id}-exec-{place.run}",
        environment=list(variables),
        labels={**place.labels, RELEASE: release.id, RUN: place.run, **asked.holder},
        init=True,
        tty=asked.terminal.is_one,
        stdin_open=True,
        auto_remove=True,
        **confinement.of_release(settings),
        log_config=_unkept(),
        healthcheck={"test": ["NONE"]},
        **surroundings.options(settings),
        **_network(client, place),
    )
    try:
        surroundings.join(client.api, str(made.id), settings.networks)
        yield str(made.id)
    finally:
        _remove(client.api, str(made.id))


def _bounded(settings: DockerSettings, process: Process | None) -> DockerSettings:
    if process is None:
        return settings
    return settings.model_copy(update={"memory_mb": process.memory_mb, "cpus": process.cpus})


def _unkept() -> Any:
    """Return that its output goes to the terminal alone."""
    from docker.types import LogConfig

    return LogConfig(type="none")


def _network(client: docker.DockerClient, place: Place) -> dict[str, Any]:
    """Return the options for the environment's network.

    Docker gives guests an address of their own part there. An old network has none; then the highest that is
    free is taken, but not that of a task.
    """
    if place.network is None:
        return {}
    found = client.api.inspect_network(place.network)
    pool = (found["IPAM"]["Config"] or [{}])[0]
    if pool.get("IPRange"):
        return {"network": place.network}
    there = (found.get("Containers") or {}).values()
    used = {str(one["IPv4Address"]).partition("/")[0] for one in there} | {place.address}
    addresses = [str(one) for one in ipaddress.ip_network(pool["Subnet"]).hosts()]
    free = next(one for one in reversed(addresses) if one not in used)
    fixed = client.api.create_endpoint_config(ipv4_address=free)
    return {"network": place.network, "networking_config": {place.network: fixed}}


def _awaited(api: APIClient, container: str) -> Any:
    """Begin to wait for a container's end, before it is started, as nobody can ask for its code later.

    The answer's head comes at once, and its body, with `StatusCode`, at the end.
    """
    url = f"{api.base_url}/v{api.api_version}/containers/{container}/wait"
    answer = api.post(url, params={"condition": "next-exit"}, stream=True, timeout=None)
    answer.raise_for_status()
    return answer


@contextmanager
def _lost(where: str, consequence: str) -> Iterator[None]:
    """Say that a connection which broke while a command ran is lost."""
    try:
        yield
    except Exception as error:
        if not isinstance(error, (Lost, *_failures())):
            raise
        raise HostUnreachable(
            "the connection to the Docker engine was lost while a command ran",
            where=where,
            consequence=f"{consequence}; what it has changed stays changed",
            fix="run it again once `curtainup status` shows the environment",
            detail=str(error),
        ) from error


def _remove(api: APIClient, container: str) -> None:
    with suppress(*_failures()):  # the engine has removed it, or does, or cannot be asked
        api.remove_container(container, force=True, v=True)


def _failures() -> tuple[type[Exception], ...]:
    from docker.errors import DockerException
    from requests import RequestException

    return DockerException, RequestException


@contextmanager
def _said_clearly(container: str, whose: str = "release") -> Iterator[None]:
    from docker.errors import ImageNotFound, NotFound

    where = f"container {container}"
    with errors.translated(
        "the Docker engine could not run the command",
        where=where,
        consequence=NOT_STARTED,
        fix="see whether the release runs: curtainup status",
        without_image="the release's image is gone",
    ):
        try:
            yield
        except NotFound as error:
            if isinstance(error, ImageNotFound):
                raise
            raise SetupError(
                f"the {whose}'s container is gone",
                where=where,
                consequence=NOT_STARTED,
                fix="see docker ps --all; `curtainup pulumi up --refresh` makes it again",
                detail=str(error.explanation),
            ) from error
