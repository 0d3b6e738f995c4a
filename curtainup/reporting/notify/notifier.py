"""Decides which destinations get which messages about a run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from curtainup.config.notify import Besides, Destination, addresses
from curtainup.config.review import is_review
from curtainup.errors import CurtainupError
from curtainup.model.run import RunRecord
from curtainup.reporting import Report
from curtainup.reporting.notify.messages import Message, Run, Writer
from curtainup.reporting.notify.outbox import Outbox, Undelivered
from curtainup.util.redaction import Redactor

REMOVING = frozenset({"destroy", "sweep"})
TOLD_OF = frozenset({"deploy", "promote", "discard", "rollback", "rehearse", "schedule"}) | REMOVING
PATIENCE = 6.0
"""Seconds that a run waits at its end for its messages; Apprise waits 4 seconds for an answer."""
TRY = "test it with: curtainup notify"


@contextmanager
def notifying(
    run: Run,
    destinations: Sequence[Destination],
    environ: Mapping[str, str],
    redact: Redactor,
    report: Report,
) -> Iterator[Notifier]:
    """Notify the destinations of a run; at its end, wait for a limited time until the messages are sent.

    A message that could not be sent causes a warning.

    Args:
        run: the run that the messages are about.
        destinations: all destinations in the configuration.
        environ: holds their addresses.
        redact: takes secrets out of the messages.
        report: receives the warnings.

    """
    wanted = [one for one in destinations if _is_of(run, one)]
    known = addresses(destinations, environ)
    missing = [one.url_env for one in wanted if one.url_env not in known]
    if missing:
        report.warn(f"variables in `notify` are not set, so curtainup skips them: {', '.join(missing)}")
    there = [one for one in wanted if one.url_env in known]
    notifier = Notifier(Writer(run, redact), there, Outbox(known), report)
    try:
        yield notifier
    finally:
        notifier.close()


class Notifier:
    """Notifies people of one run."""

    def __init__(
        self, writer: Writer, destinations: Sequence[Destination], outbox: Outbox, report: Report
    ) -> None:
        self._writer = writer
        self._destinations = destinations
        self._outbox = outbox
        self._report = report

    def started(self, record: RunRecord, folder: Path) -> None:
        """Notify people that the run has something to do."""
        self._tell(lambda: self._writer.started(record, folder))

    def ended(
        self, record: RunRecord, folder: Path, result: object = None, error: CurtainupError | None = None
    ) -> None:
        """Notify people of how the run ended; see `Writer.ended`."""
        self._tell(lambda: self._writer.ended(record, folder, result, error))

    def schedules(self, runs: Sequence[str]) -> None:
        """Notify people of runs of schedules, in words, that somebody should know of."""
        self._tell(lambda: self._writer.schedules(runs))

    def close(self) -> None:
        """Wait until all messages are sent or given up."""
        for one in self._outbox.close(PATIENCE):
            self._report.warn(told(one))

    def _tell(self, write: Callable[[], Message]) -> None:
        """Send a message to the destinations that want it; a bug of curtainup here must not end the run."""
        if not self._destinations:
            return
        try:
            message = write()
            for one in self._destinations:
                if message.event in one.events or message.also in one.events:
                    self._outbox.put(one.url_env, message)
        except Exception as error:
            self._report.warn(f"the notification was not sent: {type(error).__name__}: {error}")


def told(failure: Undelivered) -> str:
    """Return the warning for a message that was not sent."""
    return f'{failure.to} did not get "{failure.title}": {failure.why}; {TRY}'


def _is_of(run: Run, destination: Destination) -> bool:
    """Return whether a destination wants to know of such runs at all."""
    if run.command not in TOLD_OF:
        return False
    asked: list[Besides] = []
    if is_review(run.environment):
        asked.append("review")
    if run.rehearsal:
        asked.append("rehearsal")
    if run.command in REMOVING:
        asked.append("destroy")
    return set(asked) <= set(destination.also)
