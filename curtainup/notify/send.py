"""The process that sends: one message a line on standard input, what came of each on standard output.

A line in has `to`, `url`, `kind`, `title` and `body`; a line out `to`, `title` and `why`, which is empty for
what was sent. Each address has a thread of its own, so that a slow one holds up no other, and its messages
keep their order. It ends when its input does and all is sent, and may be killed at any time.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import threading
from collections.abc import Mapping
from queue import SimpleQueue
from typing import TextIO

LOGGER = "apprise"
NICENESS = 10  # the run itself has the processor first
LONGEST = 500  # characters of a reason: a line stays short enough to be written whole, or not at all


class Complaints(logging.Handler):
    """Keeps what Apprise complains of, by thread."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._said: dict[int, list[str]] = {}

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a record's text."""
        self._said.setdefault(threading.get_ident(), []).append(record.getMessage())

    def taken(self) -> str:
        """Return what this thread has heard since it asked last."""
        return " ".join(self._said.pop(threading.get_ident(), []))


def deliver(order: Mapping[str, str], complaints: Complaints) -> str:
    """Send one message; return why it was not sent, or nothing."""
    from apprise import Apprise, AppriseAsset, NotifyFormat, NotifyType

    told = Apprise(asset=AppriseAsset(async_mode=False, app_id="curtainup"))
    if not told.add(order["url"]):
        complaints.taken()  # it shows the address
        return "this is no address that Apprise knows"
    kind, title, body = NotifyType(order["kind"]), order["title"], order["body"]
    if told.notify(body=body, title=title, notify_type=kind, body_format=NotifyFormat.MARKDOWN):
        complaints.taken()
        return ""
    return complaints.taken() or "it did not take the message, and said nothing"


class Answers:
    """What came of each message, a line each; may be called from any thread."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lock = threading.Lock()

    def write(self, order: Mapping[str, str], why: str) -> None:
        """Say what came of a message."""
        with self._lock:
            answer = {"to": order["to"], "title": order["title"], "why": why[:LONGEST]}
            self._stream.write(json.dumps(answer) + "\n")


class Lane(threading.Thread):
    """Sends the messages to one address, one after another."""

    def __init__(self, complaints: Complaints, answers: Answers) -> None:
        super().__init__()
        self.orders: SimpleQueue[Mapping[str, str] | None] = SimpleQueue()
        self._complaints = complaints
        self._answers = answers

    def run(self) -> None:
        """Send until None comes."""
        while (order := self.orders.get()) is not None:
            try:
                why = deliver(order, self._complaints)
            except Exception as error:
                why = f"{type(error).__name__}: {error}"
            self._answers.write(order, why)


def main() -> None:
    """Send until the input ends and all is sent."""
    os.nice(NICENESS)
    answers = Answers(os.fdopen(os.dup(1), "w", buffering=1, encoding="utf-8"))
    os.dup2(2, 1)  # whatever else is printed is no answer
    complaints = Complaints()
    logger = logging.getLogger(LOGGER)
    logger.addHandler(complaints)
    logger.propagate = False
    lanes: dict[str, Lane] = {}
    for line in sys.stdin:
        order = json.loads(line)
        if order["to"] not in lanes:
            lanes[order["to"]] = Lane(complaints, answers)
            lanes[order["to"]].start()
        lanes[order["to"]].orders.put(order)
    for lane in lanes.values():
        lane.orders.put(None)
    for lane in lanes.values():
        lane.join()


if __name__ == "__main__":
    main()
