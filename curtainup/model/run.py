"""The record of a run, as data: schema version 1 of `record.json`. Times are UTC, ISO 8601."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SourceRecord(_Model):
    """What was deployed: commit, hash of the tracked files, whether they differ from it, remote."""

    commit: str
    tree: str
    dirty: bool
    url: str


class ImageRecord(_Model):
    """The image: config digest, manifest digest, `repository@digest`; empty while not known."""

    id: str
    digest: str
    reference: str


class StepRecord(_Model):
    """One step; without an outcome it was under way when the record was written."""

    name: str
    started: str
    ended: str | None = None
    outcome: Outcome | None = None
    detail: str = ""


class SuiteRecord(_Model):
    """What came of a run of tests; files are relative to the run's folder."""

    name: str
    passed: bool
    tests: int
    failed: tuple[str, ...]
    skipped: int
    seconds: float
    junit: str | None
    log: str | None


class TaskRecord(_Model):
    """A task that was run for a release before it had traffic; the log is relative to the run's folder.

    Without an exit code the task was stopped, or could not be run.
    """

    environment: str
    name: str
    release: str
    exit_code: int | None
    seconds: float
    log: str


class Proof(_Model):
    """A gate that was passed by an image, and the run in which that was.

    `image` is the config digest and `digest` the manifest's; a gate before the push knows only the
    former, and is bound to the latter once the push has returned it.
    """

    gate: str
    url: str
    release: str | None
    image: str
    digest: str
    tests: int
    junit: str | None
    at: str
    run: str


class TrafficMove(_Model):
    """Traffic that has moved to another release, and the file with what the probe saw of it."""

    environment: str
    outgoing: str | None = Field(alias="from")
    incoming: str = Field(alias="to")
    at: str
    probe: str | None


class RunResult(_Model):
    """How a run ended: `live` and `unchanged` are a deployment's or rollback's, `done` any other's.

    `held` has a proven candidate without traffic, `stopped` was to end before live.
    `returned` means that live failed and traffic is back on the release before.
    """

    outcome: Literal["live", "unchanged", "held", "stopped", "done", "failed", "returned", "interrupted"]
    exit_code: int
    why: str | None = None
    detail: str | None = None
    url: str | None = None
    release: str | None = None


class Who(_Model):
    """Who ran it and where, and the variables of the CI job, if it was one."""

    user: str
    host: str
    ci: dict[str, str]


class RunRecord(_Model):
    """One run; without a result it is under way or was killed."""

    schema_version: Literal[1] = 1
    service: str
    command: str
    version: str | None = None
    started: str
    ended: str | None = None
    source: SourceRecord | None = None
    image: ImageRecord | None = None
    steps: tuple[StepRecord, ...] = ()
    suites: tuple[SuiteRecord, ...] = ()
    tasks: tuple[TaskRecord, ...] = ()
    proofs: tuple[Proof, ...] = ()
    probes: tuple[str, ...] = ()
    traffic: tuple[TrafficMove, ...] = ()
    result: RunResult | None = None
    who: Who
    curtainup: str


Outcome = Literal["passed", "failed", "skipped", "cancelled"]
