"""Inspects the container of a release that does not answer, and explains what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from curtainup.errors import ReleaseUnhealthy
from curtainup.model.trouble import Trouble
from curtainup.platforms import exits
from curtainup.platforms.docker import clock, confinement
from curtainup.util.crash import Explanation

if TYPE_CHECKING:
    import docker

    from curtainup.platforms.docker.listening_ports import Listener


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

    def lacks(self) -> None:
        """Return None: the container is all of the release."""

    @property
    def answers_itself(self) -> bool:
        """True: nothing is between its port and whoever asks."""
        return True

    def unhealthy(self, url: str, seconds: float, trouble: Trouble) -> ReleaseUnhealthy:
        """Return an error that says what is wrong: its exit, its ports, or its last answer."""
        return _unhealthy(self, url, seconds, trouble)


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
    log = _log(container)
    why = exits.explanation(log)
    if out_of_memory:
        limit = found["HostConfig"]["Memory"] >> 20
        what = f"the release's container was killed: it used more than its {limit} MiB of memory"
        fix = "raise `memory_limit` in pym-config.yaml, or make the service need less"
    else:
        what = "the release's container exited" + ("" if code is None else f" with code {code}")
        what += f": {why.line}" if why else ""
        fix = exits.fix_of(code, why, found["Config"].get("User") or "root")
    return ReleaseUnhealthy(
        what,
        where=f"container {container.name}",
        consequence="the release gets no traffic",
        fix=confinement.lacking(log) or fix,
        detail=exits.excerpt(log, why),
    )


def _last_exit(container: Container, found: dict[str, Any]) -> tuple[int | None, bool]:
    """Return the exit code of a container that runs again, and whether it ran out of memory.

    The container's state no longer says so. The engine's events do, unless the engine has dropped them.
    """
    from docker.errors import DockerException
    from requests import RequestException

    try:
        until = clock.now(container.client.api) + timedelta(seconds=1)  # a later one would be waited for
        events = container.client.api.events(
            until=int(until.timestamp()), since=0, filters={"container": found["Id"]}, decode=True
        )
        seen = [(event["Action"], event["Actor"]["Attributes"]) for event in events]
    except (DockerException, RequestException):
        return None, False
    codes = [int(attributes["exitCode"]) for action, attributes in seen if action == "die"]
    return codes[-1] if codes else None, any(action == "oom" for action, _ in seen)


def _unhealthy(container: Container, url: str, seconds: float, trouble: Trouble) -> ReleaseUnhealthy:
    _raise_if_down(container)
    log, what, fix = _log(container), trouble.headline(seconds), trouble.fix
    explanation = exits.explanation(log)
    detail = exits.excerpt(log, explanation)
    if not trouble.answered:
        why, fix = _explain_ports(container, explanation, trouble.fix)
        if why is not None:
            what = f"the release did not answer within {seconds:g} s: {why}"
            detail = f"{trouble.what}\n{detail}"
    return ReleaseUnhealthy(
        what,
        where=f"container {container.name}, {url}",
        consequence="the release gets no traffic",
        fix=fix,
        detail=detail,
    )


def _explain_ports(
    container: Container, raised: Explanation | None, otherwise: str
) -> tuple[str | None, str]:
    """Return what is wrong with the ports that the container listens on, if anything, and the fix.

    What listens for its own container alone, such as redis, was not meant to answer.
    """
    from curtainup.platforms.docker.listening_ports import listeners

    found, port = listeners(container.client, container.name), container.port
    if found is None:
        return None, otherwise
    own = [listener for listener in found if listener.port == port]
    if own:
        return _explain_address(container, own, otherwise)
    others = ", ".join(str(number) for number in sorted({one.port for one in found if not one.loopback}))
    if not others and raised is not None and raised.raised:
        return f"it does not listen on PORT={port}, and raised {raised.line}", exits.MEND
    if not found:
        return f"it does not listen on any port, PORT={port} included", otherwise
    others = others or ", ".join(f"127.0.0.1:{number}" for number in sorted({one.port for one in found}))
    fix = "make the service listen on 0.0.0.0 and the port in the variable PORT"
    return f"it listens on {others}, not on PORT={port}", fix


def _explain_address(container: Container, own: Sequence[Listener], otherwise: str) -> tuple[str | None, str]:
    """Return what is wrong with the addresses that it listens on at its port, if anything, and the fix."""
    from curtainup.platforms.docker.listening_ports import refuses_ipv4

    port, only_ipv6 = container.port, all(listener.ipv6 for listener in own)
    if all(listener.loopback for listener in own):
        address = "[::1]" if only_ipv6 else "127.0.0.1"
        return f"it listens on {address}:{port} only", f"make the service listen on 0.0.0.0:{port}"
    if only_ipv6 and refuses_ipv4(container.client, container.name, port):
        fix = f"make the service listen on 0.0.0.0:{port}, or on [::]:{port} without the option IPV6_V6ONLY"
        return f"it listens on [::]:{port} for IPv6 only, and is reached over IPv4", fix
    return None, otherwise


def _log(container: Container) -> str:
    """Return the end of what the container wrote, without secrets."""
    from docker.errors import DockerException
    from requests import RequestException

    try:
        log = container.client.api.logs(container.name, tail=exits.READ_LINES)
    except (DockerException, RequestException) as error:
        return exits.UNREADABLE.format(why=error)
    return container.redact(log.decode(errors="replace").rstrip()) or "(it wrote nothing)"
