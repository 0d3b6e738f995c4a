"""What people are told: short, in Markdown, which Apprise turns into what each service takes."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from curtainup.config.notify import Event
from curtainup.errors import CurtainupError, ReturnFailed
from curtainup.model.run import RunRecord, Who

Kind = Literal["info", "success", "warning", "failure"]
KINDS: Mapping[Event, Kind] = {
    "start": "info",
    "held": "info",
    "live": "success",
    "unchanged": "info",
    "failed": "failure",
    "returned": "failure",
    "interrupted": "warning",
    "done": "info",
}
TITLES: Mapping[Event, str] = {
    "start": "{command} has started",
    "held": "is proven, and held without traffic",
    "live": "serves in {environment}",
    "unchanged": "nothing had to move",
    "failed": "{command} failed",
    "returned": "{command} failed on live, and traffic is back",
    "interrupted": "{command} was interrupted",
    "done": "{command} is done",
}
OF_OUTCOMES: Mapping[str, Event] = {
    "held": "held",
    "live": "live",
    "unchanged": "unchanged",
    "done": "done",
    "stopped": "done",
    "failed": "failed",
    "returned": "returned",
    "interrupted": "interrupted",
}
CI_PAGES = ("CI_JOB_URL", "BUILD_URL", "BUILDKITE_BUILD_URL", "CIRCLE_BUILD_URL")
LONGEST = 300  # characters of one line: services refuse long messages, Discord from 2,000 characters on


@dataclass(frozen=True)
class Run:
    """What is known of a run from its beginning.

    Attributes:
        service: its name.
        command: the subcommand that runs.
        environment: the one that it is for.
        rehearsal: whether the cloud is played.

    """

    service: str
    command: str
    environment: str = "live"
    rehearsal: bool = False


@dataclass(frozen=True)
class Message:
    """One message.

    Attributes:
        event: what has happened.
        kind: how good that is.
        title: one line.
        body: Markdown.
        also: another event whose listeners get it too.

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
        run: it.
        redact: takes the secrets out of a text; done before marks are escaped, which would hide them from it.

    """

    run: Run
    redact: Callable[[str], str] = str

    def started(self, record: RunRecord, folder: Path) -> Message:
        """Return what is said when a run has something to do; `folder` is that of the record."""
        return self._message("start", record, record.version, {}, folder)

    def ended(
        self, record: RunRecord, folder: Path, result: object = None, error: CurtainupError | None = None
    ) -> Message:
        """Return what is said of a run that has ended.

        Args:
            record: of the run, ended.
            folder: of the record.
            result: what it came to; its version and URL are told where it has them.
            error: why it failed.

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
        if not isinstance(error, ReturnFailed):
            return message
        title = f"{self.run.service}: {self.run.command} failed, and could not be undone: look now"
        return replace(message, title=self.redact(title), also="returned")

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
            **more,
            "record": self._plain(str(folder)),
        }
        body = "\n".join(f"- {name}: {text}" for name, text in lines.items() if text)
        return Message(event, KINDS[event], self.redact(f"{run.service}: {subject}"), body)

    def _commit(self, record: RunRecord) -> str:
        if record.source is None:
            return ""
        return self._plain(record.source.commit[:12]) + (
            " and uncommitted changes" if record.source.dirty else ""
        )

    def _by(self, who: Who) -> str:
        person = who.ci.get("GITHUB_ACTOR") or who.ci.get("GITLAB_USER_LOGIN") or who.user
        page = _page_of(who.ci)
        return f"{self._plain(person)} on {self._link(page) if page else self._plain(who.host)}"

    def _plain(self, text: str | None) -> str:
        """The text in one line, in which no mark or tag is read."""
        line = " ".join(self.redact(text or "").split())
        line = line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"
        return _MARKS.sub(r"\\\g<0>", line).replace("<", "&lt;")

    def _link(self, url: str | None) -> str:
        whole = bool(url) and not any(mark.isspace() or mark in "<>" for mark in url or "")
        return f"<{self.redact(url or '')}>" if whole else self._plain(url)


def _page_of(ci: Mapping[str, str]) -> str | None:
    """Return the page of a CI job; GitHub's and Bitbucket's are not among its variables."""
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
