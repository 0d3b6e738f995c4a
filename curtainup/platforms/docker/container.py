"""Inspects the container of a release that does not answer, and explains what is wrong with it."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from curtainup.errors import ReleaseUnhealthy

if TYPE_CHECKING:
    import docker

LOG_LINES = 20

EXIT_CODES = {
    0: "its command ended: run the server in the foreground",
    126: "its command is not executable: check CMD in the Dockerfile",
    127: "its command was not found: check CMD in the Dockerfile and that its program is installed",
}


@dataclass(frozen=True)
class Container:
    """The container of a release, to inspect if the release does not answer.

    Attributes:
        connect: returns a client of the Docker engine that runs the container; called only on trouble.
        name: the name or id of the container.
        port: the value of PORT in the container.
        redact: takes the secrets out of a text before anybody sees it.

    """

    connect: Callable[[], docker.DockerClient]
    name: str
    port: int
    redact: Callable[[str], str] = str

    @property
    def client(self) -> docker.DockerClient:
        """The Docker engine that runs it."""
        return self.connect()

    def start(self) -> None:
        """Start the container if it exists and is stopped or paused."""
        from docker.errors import NotFound

        with suppress(NotFound):
            if self.client.api.inspect_container(self.name)["State"]["Paused"]:
                self.client.api.unpause(self.name)
            else:
                self.client.api.start(self.name)

    def renew(self) -> None:
        """Restart the container if it has ever ended; it then counts as started for the first time."""
        from docker.errors import NotFound

        with suppress(NotFound):
            found = self.client.api.inspect_container(self.name)
            if found["RestartCount"] or not found["State"]["Running"]:
                self.client.api.restart(self.name)

    def raise_if_down(self) -> None:
        """Raise ReleaseUnhealthy if the container has stopped or restarted."""
        _raise_if_down(self)

    def timed_out(self, url: str, path: str, timeout: float, trouble: str) -> ReleaseUnhealthy:
        """Return an error that says what is wrong: its exit, its ports, or its last answer."""
        return _timed_out(self, url, path, timeout, trouble)


def _raise_if_down(container: Container) -> None:
    """Raise ReleaseUnhealthy if the container has stopped or restarted."""
    from docker.errors import DockerException, NotFound
    from requests import RequestException

    try:
        found = container.client.api.inspect_container(container.name)
    except NotFound:
        raise ReleaseUnhealthy(
            "the release's container is gone",
            where=f"container {container.name}",
            consequence="the release gets no traffic",
            fix="find out who removed it, and run the command again",
        ) from None
    except (DockerException, RequestException):
        return  # the engine does not answer, but the release still may, until its time-out
    state, restarts = found["State"], found["RestartCount"]
    if state["Status"] in ("exited", "dead", "restarting") or restarts:
        raise _down(container, found)


def _down(container: Container, found: dict[str, Any]) -> ReleaseUnhealthy:
    state = found["State"]
    code, out_of_memory = state["ExitCode"], state["OOMKilled"]
    if state["Status"] == "running":
        code, out_of_memory = _last_exit(container, found)
    limit = found["HostConfig"]["Memory"] >> 20
    if out_of_memory:
        what = f"the release's container was killed: it used more than its {limit} MiB of memory"
        fix = "raise `memory_limit` in pym-config.yaml, or make the service need less"
    else:
        what = "the release's container exited" + ("" if code is None else f" with code {code}")
        fix = EXIT_CODES.get(-1 if code is None else code, "correct the error in its last lines")
    return ReleaseUnhealthy(
        what,
        where=f"container {container.name}",
        consequence="the release gets no traffic",
        fix=fix,
        detail=_last_lines(container),
    )


def _last_exit(container: Container, found: dict[str, Any]) -> tuple[int | None, bool]:
    """Return the exit code of a container that runs again, and whether it ran out of memory.

    The container's state no longer says so. The engine's events do, unless the engine has dropped them.
    """
    from docker.errors import DockerException
    from requests import RequestException

    try:
        events = container.client.api.events(
            until=int(time.time()) + 1, since=0, filters={"container": found["Id"]}, decode=True
        )
        seen = [(event["Action"], event["Actor"]["Attributes"]) for event in events]
    except (DockerException, RequestException):
        return None, False
    codes = [int(attributes["exitCode"]) for action, attributes in seen if action == "die"]
    return codes[-1] if codes else None, any(action == "oom" for action, _ in seen)


def _timed_out(container: Container, url: str, path: str, timeout: float, trouble: str) -> ReleaseUnhealthy:
    last = f"GET {path}: {trouble}"
    _raise_if_down(container)
    why, fix = _explain_ports(container, f"make GET {path} answer 200, or give it more time to start")
    detail = (f"{last}\n" if why else "") + _last_lines(container)
    return ReleaseUnhealthy(
        f"the release did not answer within {timeout:g} s: {why or last}",
        where=f"container {container.name}, {url}",
        consequence="the release gets no traffic",
        fix=fix,
        detail=detail,
    )


def _explain_ports(container: Container, otherwise: str) -> tuple[str | None, str]:
    """Return what is wrong with the ports that the container listens on, if anything, and the fix."""
    from curtainup.platforms.docker.listening_ports import Listener, listeners

    found = listeners(container.client, container.name)
    if found is None or Listener(container.port, loopback=False) in found:
        return None, otherwise
    port = container.port
    if Listener(port, loopback=True) in found:
        return f"it listens on 127.0.0.1:{port} only", f"make the service listen on 0.0.0.0:{port}"
    fix = "make the service listen on 0.0.0.0 and the port in the variable PORT"
    if not found:
        return f"it does not listen on any port, PORT={port} included", otherwise
    others = ", ".join(str(number) for number in sorted({listener.port for listener in found}))
    return f"it listens on {others}, not on PORT={port}", fix


def _last_lines(container: Container) -> str:
    from docker.errors import DockerException
    from requests import RequestException

    try:
        log = container.client.api.logs(container.name, tail=LOG_LINES)
    except (DockerException, RequestException) as error:
        return f"(its log cannot be read: {error})"
    return container.redact(log.decode(errors="replace").rstrip()) or "(it wrote nothing)"
