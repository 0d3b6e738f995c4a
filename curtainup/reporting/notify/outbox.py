"""The driver's side of the process that sends messages. Only `close` waits, and not longer than its limit."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass

from curtainup.reporting.notify.destinations import parts
from curtainup.reporting.notify.messages import Message
from curtainup.util.redaction import redactor
from curtainup.util.secrets import Secret

SENDER = (sys.executable, "-P", "-W", "ignore", "-m", "curtainup.reporting.notify.send")


@dataclass(frozen=True)
class Undelivered:
    """A message that was not sent, or may not have been sent.

    Attributes:
        to: the name of the variable that holds the address.
        title: the title of the message.
        why: the reason, without any part of the address.

    """

    to: str
    title: str
    why: str


class Outbox:
    """Hands messages to a separate process, which starts with the first message.

    The process has its own session, so Ctrl-C interrupts the run and the process can still report that.
    """

    def __init__(self, addresses: Mapping[str, Secret]) -> None:
        self._addresses = addresses
        self._process: subprocess.Popen[str] | None = None
        self._waiting: list[tuple[str, str]] = []

    def put(self, to: str, message: Message) -> None:
        """Queue a message for the address in a variable; `close` reports failures."""
        self._waiting.append((to, message.title))
        order = {**asdict(message), "to": to, "url": self._addresses[to].reveal()}
        with suppress(OSError):
            self._process = self._process or _begun()
            if self._process.stdin is not None:
                self._process.stdin.write(json.dumps(order) + "\n")
                self._process.stdin.flush()

    def close(self, seconds: float) -> list[Undelivered]:
        """Wait up to `seconds` for outstanding messages; return those that are not known to be sent."""
        out, silent = self._ended(seconds)
        answers = {(one["to"], one["title"]): one["why"] for one in map(json.loads, out.splitlines())}
        whys = [(to, title, answers.get((to, title), silent)) for to, title in self._waiting]
        return [Undelivered(to, title, self._without_address(to, why)) for to, title, why in whys if why]

    def _ended(self, seconds: float) -> tuple[str, str]:
        """Return the answers of the process, and the reason why there are no more."""
        if self._process is None:
            return "", "the process that sends messages did not start"
        try:
            out, _ = self._process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            return self._given_up(), f"no answer came within {seconds:.0f} s of the end"
        except KeyboardInterrupt:  # the run is over; a user who presses Ctrl-C now does not want to wait
            return self._given_up(), "no answer came before Ctrl-C"
        return out, f"the process that sends messages ended with exit code {self._process.returncode}"

    def _given_up(self) -> str:
        """End the process, and return its answers so far."""
        if self._process is None:
            return ""
        self._process.kill()
        return self._process.communicate()[0]

    def _without_address(self, to: str, text: str) -> str:
        return redactor(parts(self._addresses[to]))(text)


def _begun() -> subprocess.Popen[str]:
    return subprocess.Popen(
        SENDER,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        encoding="utf-8",
        start_new_session=True,
    )
