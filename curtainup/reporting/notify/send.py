"""The process that sends messages: it reads one from each line of input and writes one line with the result.

An input line has `to`, `url`, `kind`, `title` and `body`. An output line has `to`, `title` and `why`, which
is empty if the message was sent. Each address has its own thread, so a slow address does not delay the
others, and its messages keep their order. The process ends when its input has ended and all messages are
sent; it may be killed at any time.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Mapping
from queue import SimpleQueue
from typing import TextIO

NICENESS = 10  # the run itself gets the processor first
LONGEST = 500  # characters of a reason: the line stays short enough for a single, atomic write


def deliver(order: Mapping[str, str]) -> str:
    """Send one message; return why it was not sent, or an empty text."""
    from apprise import Apprise, AppriseAsset, NotifyFormat, NotifyType

    told = Apprise(asset=AppriseAsset(app_id="curtainup"))
    if not told.add(order["url"]):
        return "Apprise does not know this kind of URL"
    kind, title, body = NotifyType(order["kind"]), order["title"], order["body"]
    result = told.notify(body=body, title=title, notify_type=kind, body_format=NotifyFormat.MARKDOWN)
    said = [entry.message for one in result.results for entry in one.logs()]
    return "" if result else " ".join(said) or f"it did not accept the message ({result.status.name})"


class Answers:
    """Writes the result of each message on a line; any thread may call it."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lock = threading.Lock()

    def write(self, order: Mapping[str, str], why: str) -> None:
        """Write the result of a message."""
        with self._lock:
            answer = {"to": order["to"], "title": order["title"], "why": why[:LONGEST]}
            self._stream.write(json.dumps(answer) + "\n")


class Lane(threading.Thread):
    """Sends the messages to one address, one after another."""

    def __init__(self, answers: Answers) -> None:
        super().__init__()
        self.orders: SimpleQueue[Mapping[str, str] | None] = SimpleQueue()
        self._answers = answers

    def run(self) -> None:
        """Send messages until None arrives."""
        while (order := self.orders.get()) is not None:
            try:
                why = deliver(order)
            except Exception as error:
                why = f"{type(error).__name__}: {error}"
            self._answers.write(order, why)


def main() -> None:
    """Send messages until the input has ended and all of them are sent."""
    os.nice(NICENESS)
    answers = Answers(os.fdopen(os.dup(1), "w", buffering=1, encoding="utf-8"))
    os.dup2(2, 1)  # other output, such as a library's, must not look like an answer
    lanes: dict[str, Lane] = {}
    for line in sys.stdin:
        order = json.loads(line)
        if order["to"] not in lanes:
            lanes[order["to"]] = Lane(answers)
            lanes[order["to"]].start()
        lanes[order["to"]].orders.put(order)
    for lane in lanes.values():
        lane.orders.put(None)
    for lane in lanes.values():
        lane.join()


if __name__ == "__main__":
    main()
