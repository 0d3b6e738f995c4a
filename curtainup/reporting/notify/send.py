"""The process that sends: one message a line on standard input, what came of each on standard output.

A line in has `to`, `url`, `kind`, `title` and `body`; a line out `to`, `title` and `why`, which is empty for
what was sent. Each address has a thread of its own, so that a slow one holds up no other, and its messages
keep their order. It ends when its input does and all is sent, and may be killed at any time.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Mapping
from queue import SimpleQueue
from typing import TextIO

NICENESS = 10  # the run itself has the processor first
LONGEST = 500  # characters of a reason: a line stays short enough to be written whole, or not at all


def deliver(order: Mapping[str, str]) -> str:
    """Send one message; return why it was not sent, or nothing."""
    from apprise import Apprise, AppriseAsset, NotifyFormat, NotifyType

    told = Apprise(asset=AppriseAsset(app_id="curtainup"))
    if not told.add(order["url"]):
        return "this is no URL that Apprise knows"
    kind, title, body = NotifyType(order["kind"]), order["title"], order["body"]
    result = told.notify(body=body, title=title, notify_type=kind, body_format=NotifyFormat.MARKDOWN)
    said = [entry.message for one in result.results for entry in one.logs()]
    return "" if result else " ".join(said) or f"it did not take the message ({result.status.name})"


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

    def __init__(self, answers: Answers) -> None:
        super().__init__()
        self.orders: SimpleQueue[Mapping[str, str] | None] = SimpleQueue()
        self._answers = answers

    def run(self) -> None:
        """Send until None comes."""
        while (order := self.orders.get()) is not None:
            try:
                why = deliver(order)
            except Exception as error:
                why = f"{type(error).__name__}: {error}"
            self._answers.write(order, why)


def main() -> None:
    """Send until the input ends and all is sent."""
    os.nice(NICENESS)
    answers = Answers(os.fdopen(os.dup(1), "w", buffering=1, encoding="utf-8"))
    os.dup2(2, 1)  # whatever else is printed is no answer
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
