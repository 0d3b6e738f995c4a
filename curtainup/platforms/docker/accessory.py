"""The container of an accessory: whether it runs, and what a command in it says."""

from __future__ import annotations

import threading
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from curtainup.platforms.docker import errors

if TYPE_CHECKING:
    from docker import DockerClient

LOG_LINES = 20
"""Lines of its log that an error shows."""


@dataclass(frozen=True)
class Answer:
    """What came of a command in a container.

    Attributes:
        code: its exit code; None if it did not end in time, or could not be started.
        output: what it wrote.

    """

    code: int | None
    output: str = ""

    @property
    def is_good(self) -> bool:
        """Whether it succeeded."""
        return self.code == 0


@dataclass
class _Asked:
    """A command that a thread waits for: the engine gives no time-out to one."""

    answer: Answer = field(default_factory=lambda: Answer(None))

    def ask(self, client: DockerClient, container: str, command: str) -> None:
        from docker.errors import DockerException
        from requests import RequestException

        try:
            made = client.api.exec_create(container, ["/bin/sh", "-c", command])
            output = client.api.exec_start(made["Id"])
            code = client.api.exec_inspect(made["Id"])["ExitCode"]
            self.answer = Answer(code, output.decode(errors="replace").strip())
        except (DockerException, RequestException) as error:
            self.answer = Answer(None, str(error))


def inspected(client: DockerClient, container: str) -> dict[str, Any] | None:
    """Return what the engine tells of a container; None if there is none.

    Raises:
        SetupError: the Docker engine does not answer.

    """
    from docker.errors import NotFound

    with errors.translated(
        "the Docker engine does not tell of an accessory",
        where=f"container {container}",
        consequence="nothing was changed",
    ):
        try:
            found: dict[str, Any] = client.api.inspect_container(container)
        except NotFound:
            return None
    return found


def ask(client: DockerClient, container: str, command: str, seconds: float) -> Answer:
    """Run a command for `/bin/sh` in a container, and wait so many seconds for its end."""
    asked = _Asked()
    thread = threading.Thread(target=asked.ask, args=(client, container, command), daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        return Answer(None, f"it did not end within {seconds:g} s")
    return asked.answer


def last_lines(client: DockerClient, container: str) -> str:
    """Return the end of what a container wrote; empty if nobody tells."""
    from docker.errors import DockerException
    from requests import RequestException

    try:
        found: bytes = client.api.logs(container, tail=LOG_LINES)
    except (DockerException, RequestException):
        return ""
    return found.decode(errors="replace").strip()


def start(client: DockerClient, container: str) -> None:
    """Start a container.

    Raises:
        SetupError: it cannot be started.

    """
    with _said_clearly("start", container):
        client.api.start(container)


def restart(client: DockerClient, container: str, seconds: int) -> None:
    """Restart a container, which has so many seconds to end.

    Raises:
        SetupError: it cannot be started.

    """
    with _said_clearly("restart", container):
        client.api.restart(container, timeout=seconds)


def _said_clearly(verb: str, container: str) -> AbstractContextManager[None]:
    return errors.translated(
        f"the Docker engine does not {verb} an accessory",
        where=f"container {container}",
        consequence="its data stays as it is",
    )
