"""The texts of notifications: short Markdown, which Apprise converts for each service."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from curtainup.config.notify import Event
from curtainup.errors import CurtainupError, ReturnDidNotHelp, ReturnFailed, TrafficKept
from curtainup.model.run import MetricRecord, RunRecord, Who
from curtainup.util.redaction import NOTHING, Redactor

Kind = Literal["info", "success", "warning", "failure"]
KINDS: Mapping[Event, Kind] = {
    "start": "info",
    "held": "info",
    "live": "success",
    "unchanged": "info",
    "failed": "failure",
    "returned": "failure",
    "paused": "warning",
    "interrupted": "warning",
    "done": "info",
    "schedule": "failure",
}
TITLES: Mapping[Event, str] = {
    "start": "{command} has started",
    "held": "is proven, and held without traffic",
    "live": "serves in {environment}",
    "unchanged": "nothing had to move",
    "failed": "{command} failed",
    "returned": "{command} failed on live, and traffic is back",
    "paused": "the canary of {command} is paused, and waits for you",
    "interrupted": "{command} was interrupted",
    "done": "{command} is done",
    "schedule": "schedules of {environment} failed or were missed",
}
OF_OUTCOMES: Mapping[str, Event] = {
    "held": "held",
    "live": "live",
    "unchanged": "unchanged",
    "done": "done",
    "stopped": "done",
    "failed": "failed",
    "returned": "returned",
    "paused": "paused",
    "interrupted": "interrupted",
}
CI_PAGES = ("CI_JOB_URL", "BUILD_URL", "BUILDKITE_BUILD_URL", "CIRCLE_BUILD_URL")
LONGEST = 300  # characters of one line: services refuse long messages, Discord from 2,000 characters on


ALARMS: dict[type[CurtainupError], str] = {
    ReturnFailed: "and could not be undone: look now",
    ReturnDidNotHelp: "and live is down although its traffic is back: look now",
    TrafficKept: "and its release keeps the traffic, because live was worse before: look now",
}
"""Errors after which a person has to look at live; those who listen to `returned` hear of them."""


@dataclass(frozen=True)
class Run:
    """The facts about a run that are known when it starts.

    Attributes:
        service: the service's name.
        command: the subcommand that runs.
        environment: the environment that it deploys to or changes.
        rehearsal: whether the run is a rehearsal.

    """

    service: str
    command: str
    environment: str = "live"
    rehearsal: bool = False


@dataclass(frozen=True)
class Message:
    """One message.

    Attributes:
        event: the event that the message reports.
        kind: how good or bad the event is.
        title: one line.
        body: Markdown.
        also: another event; destinations that want that one get the message too.

    """

    event: Event
    kind: Kind
    title: str
    body: str
    also: Event | None = None


@dataclass(frozen=True)
class Writer:
    """Writes the messages of one run.

    Attributes:
        run: the run that the messages are about.
        redact: takes the secrets out of a text, before Markdown is escaped, because escaping can hide them.

    """

    run: Run
    redact: Redactor = NOTHING

    def started(self, record: RunRecord, folder: Path) -> Message:
        """Return the message for a run that has something to do; `folder` is that of its record."""
        return self._message("start", record, record.version, {}, folder)

    def ended(
        self, record: RunRecord, folder: Path, result: object = None, error: CurtainupError | None = None
    ) -> Message:
        """Return the message for a run that has ended.

        Args:
            record: the record of the ended run.
            folder: the folder of the record.
            result: the result of the command; the message names its version and URL, if it has them.
            error: the error that the run failed with.

        """
        ended = record.result
        event = OF_OUTCOMES[ended.outcome] if ended else "failed"
        version = getattr(result, "version", None) or record.version
        more = {"url": self._link(getattr(result, "url", None))}
        if error is not None:
            told = {"why": error.what, "where": error.where, "so": error.consequence, "fix": error.fix}
        else:
            told = {"why": ended.why if ended else None}
        more |= {name: self._plain(text) for name, text in told.items()}
        message = self._message(event, record, version, more, folder)
        alarm = next((text for kind, text in ALARMS.items() if isinstance(error, kind)), None)
        if alarm is None:
            return message
        title = f"{self.run.service}: {self.run.command} failed, {alarm}"
        return replace(message, title=self.redact.ours(title), also="returned")

    def schedules(self, runs: Sequence[str]) -> Message:
        """Return the message for runs of schedules, in words, that somebody should know of."""
        told = TITLES["schedule"].format(environment=self.run.environment)
        body = "\n".join(f"- {self._plain(one)}" for one in runs)
        return Message("schedule", KINDS["schedule"], self.redact.ours(f"{self.run.service}: {told}"), body)

    def _message(
        self, event: Event, record: RunRecord, version: str | None, more: Mapping[str, str], folder: Path
    ) -> Message:
        run = self.run
        command = f"{run.command} of {version}" if version else run.command
        told = TITLES[event].format(command=command, environment=run.environment)
        subject = f"{version or run.command} {told}" if event in ("live", "held") else told
        lines = {
            "environment": run.environment + (" of the rehearsal" if run.rehearsal else ""),
            "version": self._plain(version),
            "commit": self._commit(record),
            "by": self._by(record.who),
            "during a freeze": self._plain(record.during_freeze.reason if record.during_freeze else None),
            "metrics": self._plain("; ".join(_told(one) for one in record.metrics)),
            **more,
            "record": self._plain(str(folder)),
        }
        body = "\n".join(f"- {name}: {text}" for name, text in lines.items() if text)
        return Message(event, KINDS[event], self.redact.ours(f"{run.service}: {subject}"), body)

    def _commit(self, record: RunRecord) -> str:
        if record.source is None:
            return ""
        return self._plain(record.source.commit[:12]) + (
            " and uncommitted changes" if record.source.dirty else ""
        )

    def _by(self, who: Who) -> str:
        person = who.ci.get("GITHUB_ACTOR") or who.ci.get("GITLAB_USER_LOGIN") or who.user
        page = page_of(who.ci)
        return f"{self._plain(person)} on {self._link(page) if page else self._plain(who.host)}"

    def _plain(self, text: str | None) -> str:
        """Put a text on one line, and escape Markdown and HTML in it."""
        line = " ".join(self.redact.ours(text or "").split())
        line = line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"
        return _MARKS.sub(r"\\\g<0>", line).replace("<", "&lt;")

    def _link(self, url: str | None) -> str:
        whole = bool(url) and not any(mark.isspace() or mark in "<>" for mark in url or "")
        return f"<{self.redact.ours(url or '')}>" if whole else self._plain(url)


def _told(one: MetricRecord) -> str:
    value = one.why if one.value is None else f"{one.value:.4g} ({one.limits})"
    return f"{one.name} at {one.share} %: {value}"


def page_of(ci: Mapping[str, str]) -> str | None:
    """Return the page of a CI job; GitHub and Bitbucket set no variable for it, so build it from others."""
    for name in CI_PAGES:
        if name in ci:
            return ci[name]
    if {"GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID"} <= ci.keys():
        return f"{ci['GITHUB_SERVER_URL']}/{ci['GITHUB_REPOSITORY']}/actions/runs/{ci['GITHUB_RUN_ID']}"
    if {"BITBUCKET_REPO_FULL_NAME", "BITBUCKET_BUILD_NUMBER"} <= ci.keys():
        results = f"{ci['BITBUCKET_REPO_FULL_NAME']}/pipelines/results/{ci['BITBUCKET_BUILD_NUMBER']}"
        return f"https://bitbucket.org/{results}"
    return None


_MARKS = re.compile(r"[\\`*\[\]]")
