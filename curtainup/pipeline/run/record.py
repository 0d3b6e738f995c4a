"""The record of a run: what it did, what it proved for which image, and how it ended.

Each run has a folder, `.curtainup/runs/<UTC time>-<command>/`, with `record.json`, JUnit files, logs and
the probe's figures. Whenever a step starts or ends, curtainup replaces the record atomically. A run that was
killed therefore leaves a readable record, without a result. docs/records.md describes every field.
"""

from __future__ import annotations

import errno
import json
import os
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from curtainup import __version__
from curtainup.engine import deployer
from curtainup.errors import CurtainupError, DiskFull
from curtainup.gates import GateResult
from curtainup.gates.tally import ProbeResult
from curtainup.images.source import Source
from curtainup.model import run as run_models
from curtainup.model.measured import Measured
from curtainup.model.run import Outcome, RunRecord
from curtainup.pipeline.run import outcomes, past_records
from curtainup.pipeline.run.past_records import RECORD, RUNS
from curtainup.reporting.concealing import conceal
from curtainup.util.files import private_folder, write_atomically
from curtainup.util.plain import clean
from curtainup.util.redaction import NOTHING, Redactor

CI_VARIABLES = (
    "GITHUB_SERVER_URL",
    "GITHUB_REPOSITORY",
    "GITHUB_RUN_ID",
    "GITHUB_ACTOR",
    "CI_JOB_URL",
    "GITLAB_USER_LOGIN",
    "BITBUCKET_REPO_FULL_NAME",
    "BITBUCKET_BUILD_NUMBER",
    "BUILD_URL",
    "BUILDKITE_BUILD_URL",
    "CIRCLE_BUILD_URL",
)
"""The variables in which CI systems name their job."""
OUR_FIELDS = frozenset(
    {
        *("service", "command", "version", "started", "ended", "curtainup", "name", "outcome", "seconds"),
        *("environment", "gate", "release", "from", "to", "at", "run", "probe", "probes", "phase"),
        *("commit", "tree", "id", "image", "digest", "reference", "junit", "log", "first_seen", "last_seen"),
    }
)
"""Fields that hold only what curtainup has made; they stay readable even if a secret equals one."""


class Recorder:
    """Keeps the record of one run; several threads may call it.

    Attributes:
        folder: the folder of the run; JUnit files and logs go there, already redacted.
        redact: takes the secrets out of a text.

    """

    def __init__(
        self,
        folder: Path,
        service: str,
        command: str,
        *,
        redact: Redactor = NOTHING,
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        """Begin the record.

        Args:
            folder: curtainup's own folder in the service's repository.
            service: the service's name.
            command: the subcommand that runs, such as `deploy`.
            redact: takes the secrets out of a text.
            environ: the environment variables, which may name the CI job.

        Raises:
            DiskFull: there is no space for the record.

        """
        self._runs = folder / RUNS
        self.redact = redact
        self._lock = threading.RLock()
        self._probed: str | None = None
        self.folder = _new_folder(self._runs, command)
        self._record = RunRecord(
            service=service, command=command, started=_now(), who=_who(environ), curtainup=__version__
        )
        self._write()

    @property
    def record(self) -> RunRecord:
        """The record as it stands."""
        return self._record

    def source(self, source: Source) -> None:
        """Note the source of the deployment."""
        found = run_models.SourceRecord(
            commit=source.revision, tree=source.tree, dirty=source.dirty, url=source.url
        )
        self._update(version=source.version, source=found)

    def image(self, image_id: str, reference: str) -> None:
        """Note the image, and bind the proofs of its id (config digest) to the digest in the registry.

        Args:
            image_id: `sha256:…`, or empty when it is not known.
            reference: `repository@sha256:…`, or empty before the push.

        """
        with self._lock:
            digest = reference.rpartition("@")[2]
            self._update(image=run_models.ImageRecord(id=image_id, digest=digest, reference=reference))
            self._update(proofs=tuple(self._bound(proof) for proof in self._record.proofs))

    def step_started(self, name: str) -> None:
        """Note that a step has begun."""
        with self._lock:
            step = run_models.StepRecord(name=name, started=_now())
            self._update(steps=(*self._record.steps, step))

    def step_finished(self, name: str, outcome: Outcome, detail: str = "") -> None:
        """Note how a step ended: the last one of that name."""
        with self._lock:
            steps = list(self._record.steps)
            at = max(index for index, step in enumerate(steps) if step.name == name)
            ended = {"ended": _now(), "outcome": outcome, "detail": detail}
            steps[at] = steps[at].model_copy(update=ended)
            self._update(steps=tuple(steps))

    def tests(self, name: str, result: GateResult) -> None:
        """Note the result of a test suite, passed or not."""
        with self._lock:
            suite = run_models.SuiteRecord(
                name=name,
                passed=result.passed,
                tests=result.tests,
                failed=tuple(test.name for test in result.failed),
                skipped=result.skipped,
                seconds=round(result.seconds, 3),
                junit=self._relative(result.junit),
                log=self._relative(result.log),
            )
            self._update(suites=(*self._record.suites, suite))

    def task(self, ran: run_models.TaskRecord) -> None:
        """Note how a task ended."""
        with self._lock:
            self._update(tasks=(*self._record.tasks, ran))

    def ran(self, command: run_models.CommandRecord) -> None:
        """Note the command that `exec` runs, or how it ended."""
        self._update(ran=command)

    def proved(self, gate: str, url: str, release: str | None, image: str, result: GateResult) -> None:
        """Note the proof that an image, given by its id or its reference, has passed a gate."""
        with self._lock:
            is_id = image.startswith("sha256:")
            proof = run_models.Proof(
                gate=gate,
                url=url,
                release=release,
                image=image if is_id else "",
                digest="" if is_id else image.rpartition("@")[2],
                tests=result.tests,
                junit=self._relative(result.junit),
                at=_now(),
                run=self.folder.name,
            )
            self._update(proofs=(*self._record.proofs, self._bound(proof)))

    def is_proved(self, gate: str, release: str) -> bool:
        """Whether this run or an earlier run of this service has proved a release at a gate.

        The proof is copied into this run's record, with the name of the run that it is from.
        """
        with self._lock:
            proof = past_records.proof_in(self._record, gate, release) or past_records.find_proof(
                self._runs.parent, self._record.service, gate, release, but=self.folder
            )
            if proof is not None and proof not in self._record.proofs:
                self._update(proofs=(*self._record.proofs, proof))
            return proof is not None

    def probe(self, result: ProbeResult) -> None:
        """Write the probe's figures to probe.json, if the probe has sent anything."""
        if not result.total:
            return
        with self._lock:
            taken = len(list(self.folder.glob("probe*.json")))
            self._probed = f"probe-{taken + 1}.json" if taken else "probe.json"
            self._save(self.folder / self._probed, result.as_dict())
            self._update(probes=(*self._record.probes, self._probed))

    def moved(self, environment: str, outgoing: str | None, incoming: str) -> None:
        """Note that an environment's traffic has moved from one release, if any, to another."""
        with self._lock:
            move = {"environment": environment, "from": outgoing, "to": incoming, "at": _now()}
            made = run_models.TrafficMove.model_validate({**move, "probe": self._probed})
            self._probed = None
            self._update(traffic=(*self._record.traffic, made))

    def during_freeze(self, found: run_models.DuringFreeze) -> None:
        """Note that live is changed although it is frozen, and why."""
        self._update(during_freeze=found)

    def measured(self, share: int, found: Measured) -> None:
        """Note a metric that judged a canary at a share of the traffic."""
        with self._lock:
            made = run_models.MetricRecord(
                name=found.name,
                share=share,
                verdict=found.verdict,
                value=found.value,
                samples=found.samples,
                limits=found.limits,
                why=found.why,
                at=_now(),
            )
            self._update(metrics=(*self._record.metrics, made))

    @contextmanager
    def ending(self) -> Iterator[None]:
        """End the record of a run whose block fails; one that succeeds is ended by `succeeded`."""
        try:
            yield
        except CurtainupError as error:
            self.failed(error)
            raise
        except BaseException as error:
            self.crashed(error)
            raise

    def succeeded(self, result: object) -> None:
        """End the record of a run that succeeded, with the fields of its `result`."""
        self._end(
            outcome=outcomes.of_result(result),
            exit_code=0,
            url=getattr(result, "url", None),
            release=getattr(result, "release", None),
        )

    def failed(self, error: CurtainupError) -> None:
        """End the record of a run that failed; ignores a full disk, because `error` matters more."""
        conceal(error, self.redact)
        ended = outcomes.of_error(error)
        with suppress(DiskFull, OSError):
            self._end(outcome=ended, exit_code=error.exit_code, why=error.what, detail=error.detail)

    def crashed(self, error: BaseException) -> None:
        """End the record of a run that crashed; ignores a full disk, because `error` matters more."""
        with suppress(DiskFull, OSError):
            self._end(outcome="failed", exit_code=1, why=self.redact(f"{type(error).__name__}: {error}"))

    def _end(self, **result: Any) -> None:
        self._update(ended=_now(), result=run_models.RunResult.model_validate(result))

    def _update(self, **fields: Any) -> None:
        with self._lock:
            self._record = self._record.model_copy(update=fields)
            self._write()

    def _write(self) -> None:
        self._save(self.folder / RECORD, self._record.model_dump(by_alias=True))

    def _save(self, file: Path, value: object) -> None:
        text = json.dumps(_redacted(value, self.redact.ours), indent=2, ensure_ascii=False)
        with _disk_full_is_told(file):
            write_atomically(file, text + "\n", 0o600)

    def _bound(self, proof: run_models.Proof) -> run_models.Proof:
        """The proof with both names of its image, if the run knows that they mean the same image."""
        image = self._record.image
        if image is None or not {proof.image, proof.digest} & {image.id, image.digest} - {""}:
            return proof
        return proof.model_copy(update={"image": image.id or proof.image, "digest": image.digest})

    def _relative(self, file: Path | None) -> str | None:
        if file is None:
            return None
        return str(file.relative_to(self.folder) if file.is_relative_to(self.folder) else file)


def _new_folder(runs: Path, command: str) -> Path:
    """Make the folder of a run; runs that begin at the same moment get different folders."""
    while True:
        folder = runs / f"{datetime.now(UTC):%Y%m%dT%H%M%S.%f}Z-{command}"
        with _disk_full_is_told(folder), suppress(FileExistsError):
            private_folder(runs)
            folder.mkdir(mode=0o700)
            return folder


def _redacted(value: object, redact: Callable[[str], str]) -> object:
    """The same value, without secrets in any text but those of our own fields."""
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, dict):
        return {key: _redacted(one, clean if _is_ours(key, one) else redact) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_redacted(one, redact) for one in value]
    return value


def _is_ours(key: object, value: object) -> bool:
    """Whether a field is a text, or texts, of curtainup's own, and no record with fields of its own."""
    return key in OUR_FIELDS and not isinstance(value, dict)


def _who(environ: Mapping[str, str]) -> run_models.Who:
    found = {name: environ[name] for name in CI_VARIABLES if environ.get(name)}
    return run_models.Who(user=deployer.user(), host=socket.gethostname(), ci=found)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


@contextmanager
def _disk_full_is_told(file: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise DiskFull(
            "no space is left for the record of this run",
            where=str(file.parent),
            consequence="the run stops here, and curtainup undoes what it had begun",
            fix="free some space: `df -h` shows which disk is full; old folders in .curtainup/runs may go",
        ) from error
