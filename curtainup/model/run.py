"""The record of a run, as data: schema version 1 of `record.json`. Times are UTC, ISO 8601."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from curtainup.model.measured import Verdict


class _Model(BaseModel):
    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid")


class SourceRecord(_Model):
    """The source: its commit, the hash of its tracked files, whether they differ from it, and its remote."""

    commit: str
    tree: str
    dirty: bool
    url: str


class ImageRecord(_Model):
    """The image: its config digest, manifest digest and `repository@digest`; empty while not known."""

    id: str
    digest: str
    reference: str


class StepRecord(_Model):
    """One step; a step without an outcome was running when the record was written."""

    name: str
    started: str
    ended: str | None = None
    outcome: Outcome | None = None
    detail: str = ""


class SuiteRecord(_Model):
    """The result of a test run; file names are relative to the run's folder."""

    name: str
    passed: bool
    tests: int
    failed: tuple[str, ...]
    skipped: int
    seconds: float
    junit: str | None
    log: str | None


class TaskRecord(_Model):
    """A task that ran for a release before it had traffic; the log's path is relative to the run's folder.

    Without an exit code the task was stopped, or could not start.
    """

    environment: str
    name: str
    release: str
    exit_code: int | None
    seconds: float
    log: str


class CommandRecord(_Model):
    """A command that `curtainup exec` or `schedule` ran: its program alone, as arguments may hold secrets.

    Without an exit code it did not start, or nobody knows how it ended.
    """

    environment: str
    release: str
    program: str
    arguments: int
    attached: bool
    exit_code: int | None
    schedule: str | None = None


class Proof(_Model):
    """The proof that an image passed a gate in a run.

    `image` is the config digest and `digest` the manifest digest. A gate before the push knows only the
    config digest; curtainup adds the manifest digest after the push.
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
    """A move of traffic to another release, and the file with the figures of the probe."""

    environment: str
    outgoing: str | None = Field(alias="from")
    incoming: str = Field(alias="to")
    at: str
    probe: str | None


class DuringFreeze(_Model):
    """A freeze in which live was changed anyway: until when it was, why, and the reason to change live."""

    until: str
    freeze: str
    reason: str


class MetricRecord(_Model):
    """A metric that judged a canary at one of its steps; the share is in per cent."""

    name: str
    share: int
    verdict: Verdict
    value: float | None
    samples: float | None
    limits: str
    why: str
    at: str


class RunResult(_Model):
    """How a run ended: `live` and `unchanged` are for deployments and rollbacks, `done` for other commands.

    `held` means that a proven candidate waits without traffic, and `stopped` that the run was to end before
    live. `paused` means that a canary keeps its share until somebody decides. `returned` means that live
    failed and the release before has the traffic again.
    """

    outcome: Literal[
        "live", "unchanged", "held", "stopped", "done", "failed", "returned", "paused", "interrupted"
    ]
    exit_code: int
    why: str | None = None
    detail: str | None = None
    url: str | None = None
    release: str | None = None


class Who(_Model):
    """The user, the host and, in a CI job, the job's variables."""

    user: str
    host: str
    ci: dict[str, str]


class RunRecord(_Model):
    """One run; a run without a result is still going on, or was killed."""

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
    ran: CommandRecord | None = None
    proofs: tuple[Proof, ...] = ()
    probes: tuple[str, ...] = ()
    traffic: tuple[TrafficMove, ...] = ()
    during_freeze: DuringFreeze | None = None
    metrics: tuple[MetricRecord, ...] = ()
    result: RunResult | None = None
    who: Who
    curtainup: str


Outcome = Literal["passed", "failed", "skipped", "cancelled"]
