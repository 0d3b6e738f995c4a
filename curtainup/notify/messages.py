"""What people are told: short, in Markdown, which Apprise turns into what each service takes.

Everything that is not our own stands as code, so that no service reads a mark or a tag in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from curtainup.config.notify import Event
from curtainup.errors import CurtainupError
from curtainup.run_models import RunRecord, Who

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
    "held": "the candidate is proven and held without traffic",
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
    """One message; the body is Markdown."""

    event: Event
    kind: Kind
    title: str
    body: str


def started(run: Run, record: RunRecord, folder: Path) -> Message:
    """Return what is said when a run has something to do."""
    return _message("start", run, record, record.version, {}, folder)


def ended(
    run: Run, record: RunRecord, folder: Path, result: object = None, error: CurtainupError | None = None
) -> Message:
    """Return what is said of a run that has ended.

    Args:
        run: it.
        record: its record, ended.
        folder: of the record.
        result: what it came to; its version, URL and whether it is held are told where it has them.
        error: why it failed.

    """
    outcome = record.result.outcome if record.result else "failed"
    event = "held" if getattr(result, "held", False) else OF_OUTCOMES[outcome]
    version = getattr(result, "version", None) or record.version
    more = {"url": _link(getattr(result, "url", None))}
    if error is not None:
        told = {"why": error.what, "where": error.where, "so": error.consequence, "fix": error.fix}
        more |= {name: _code(text) for name, text in told.items()}
    elif record.result is not None:
        more["why"] = _code(record.result.why)
    return _message(event, run, record, version, more, folder)


def _message(
    event: Event, run: Run, record: RunRecord, version: str | None, more: Mapping[str, str], folder: Path
) -> Message:
    command = f"{run.command} of {version}" if version else run.command
    told = TITLES[event].format(command=command, environment=run.environment)
    subject = f"{version} {told}" if version and event in ("live", "held") else told
    lines = {
        "environment": _code(run.environment) + (" of the rehearsal" if run.rehearsal else ""),
        "version": _code(version),
        "commit": _commit(record),
        "by": _by(record.who),
        **more,
        "record": _code(str(folder)),
    }
    body = "\n".join(f"- {name}: {text}" for name, text in lines.items() if text)
    return Message(event, KINDS[event], f"{run.service}: {subject}", body)


def _commit(record: RunRecord) -> str:
    if record.source is None:
        return ""
    return _code(record.source.commit[:12]) + (" and uncommitted changes" if record.source.dirty else "")


def _by(who: Who) -> str:
    person = who.ci.get("GITHUB_ACTOR") or who.ci.get("GITLAB_USER_LOGIN") or who.user
    page = next((who.ci[name] for name in CI_PAGES if name in who.ci), None) or _github(who.ci)
    return f"{_code(person)} on {_link(page) if page else _code(who.host)}"


def _github(ci: Mapping[str, str]) -> str | None:
    if "GITHUB_REPOSITORY" not in ci or "GITHUB_RUN_ID" not in ci:
        return None
    return f"https://github.com/{ci['GITHUB_REPOSITORY']}/actions/runs/{ci['GITHUB_RUN_ID']}"


def _code(text: str | None) -> str:
    """The text in one line and as code, or nothing."""
    line = " ".join((text or "").replace("`", "'").split())
    return f"`{line if len(line) <= LONGEST else line[: LONGEST - 1] + '…'}`" if line else ""


def _link(url: str | None) -> str:
    plain = bool(url) and not any(mark.isspace() or mark in "<>" for mark in url or "")
    return f"<{url}>" if plain else _code(url)
