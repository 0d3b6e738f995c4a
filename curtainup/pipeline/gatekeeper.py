"""Runs the gates of the pipeline: acceptance tests against one URL."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from threading import Event

from curtainup import gates
from curtainup.errors import (
    CurtainupError,
    Interrupted,
    SourceError,
    UnitTestsFailed,
)
from curtainup.gates import Forks, GateRequest, GateResult, Interpreter, LocalInterpreter, UnitTestRequest
from curtainup.images import source
from curtainup.pipeline.gate import CONSEQUENCES, Gate
from curtainup.pipeline.pythons import Pythons
from curtainup.pipeline.run.record import Recorder
from curtainup.pipeline.run.steps import Progress
from curtainup.pipeline.traffic import Watch
from curtainup.platforms.docker.engine import DockerEngine
from curtainup.session import Session
from curtainup.util.process import Cancel

_PERCENT = re.compile(r"\[\s*\d+%\]$")
_NEVER = Event()


class Gatekeeper:
    """Runs the gates of one run.

    Attributes:
        pythons: whose Python runs the tests.

    """

    def __init__(self, session: Session, recorder: Recorder, python: str | None, arguments: tuple[str, ...]):
        self._session = session
        self._recorder = recorder
        self._arguments = arguments
        self.pythons = Pythons(session, python)

    @cached_property
    def _forks(self) -> Forks:
        return self._session.run.at_end.enter_context(Forks())

    def require_ready(self, *, unit_tests: bool) -> None:
        """Get all that the tests need, and let the Pythons of this machine import pytest meanwhile.

        Args:
            unit_tests: whether unit tests will run.

        Raises:
            SetupError: a Python does not start, or lacks pytest or requests and cannot get them.

        """
        self.pythons.require_ready()
        if unit_tests:
            self._warm(self.pythons.of_unit_tests(None), for_gates=False)
        self._warm(self.pythons.of_gates(None), for_gates=True)

    def warm(self, image: str) -> None:
        """Let the Python of the gates import pytest while something else is waited for."""
        self._warm(self.pythons.of_gates(image), for_gates=True)

    def _warm(self, interpreter: Interpreter, *, for_gates: bool) -> None:
        if isinstance(interpreter, LocalInterpreter):
            self._forks.warm(interpreter, self._session.state.workspace.service_dir, for_gates=for_gates)

    def unit_tests(self, progress: Progress, image: str | None = None) -> None:
        """Run the unit tests, and warn if there are none.

        Raises:
            UnitTestsFailed: a test failed.

        """
        session = self._session
        request = UnitTestRequest(
            service=session.service.config.name,
            service_dir=session.state.workspace.service_dir,
            interpreter=self.pythons.of_unit_tests(image),
            folder=self._folder("unit"),
            timeout=session.service.config.for_environment("live").gate_timeout,
            redact=session.service.hidden,
            tests=self.pythons.unit_tests,
            extra_env=self._secrets(self.pythons.unit_tests_need_image),
            marks=session.marks,
            engine=session.accounts.builder.host.variables,
        )
        result = gates.run_unit_tests(
            request, on_line=_showing(progress), cancel=session.run.cancelled, forks=self._forks
        )
        progress.note = _summary(result)
        self._recorder.tests("unit", result)
        if not result.passed:
            where = ", ".join(f"{one.rstrip('/')}/" for one in self.pythons.unit_tests)
            error = self.failure(result, UnitTestsFailed, "unit tests", CONSEQUENCES["unit"], where)
            error.fix = f"{error.fix}{self.pythons.bare_unit_tests}" if error.fix else None
            raise error
        if not result.tests and session.service.config.unit_tests != ():
            session.run.report.warn(self.pythons.no_unit_tests)

    def judge(
        self,
        gate: Gate,
        progress: Progress,
        image: str,
        watch: Watch | None = None,
        has_failed: Cancel = _NEVER,
    ) -> Callable[[], None]:
        """Run one gate, and return what records its proof.

        Args:
            gate: the gate.
            progress: shows the tests.
            image: the image that the tests run in, when they run in the image.
            watch: ends the tests as soon as the probe has seen enough; None lets them end by themselves.
            has_failed: ends the tests when set, as the release has failed otherwise.

        Raises:
            CurtainupError: the gate failed; `FAILURES` has the class.
            Interrupted: the release has failed otherwise, or the run was cancelled.

        """
        cancelled = self._session.run.cancelled
        result = self.check(gate, progress, image, _Any((cancelled, _Unclean(watch), has_failed)))
        if result.stopped and has_failed.is_set() and not cancelled.is_set():
            raise Interrupted("interrupted, as the release has failed already", where=gate.url)
        self._conclude(gate, result, watch)
        return lambda: self._recorder.proved(gate.name, gate.url, gate.release, image, result)

    def _conclude(self, gate: Gate, result: GateResult, watch: Watch | None) -> None:
        if result.stopped and watch is not None and not self._session.run.cancelled.is_set():
            watch.require_clean()
        if not result.passed:
            name = f"acceptance tests on {gate.name}"
            error = self.failure(result, gate.failure, name, gate.consequence, gate.url)
            error.fix = self._with_other_tests(gate, error.fix)
            raise error

    def _with_other_tests(self, gate: Gate, fix: str | None) -> str | None:
        """Add to the fix which commit's tests ran, if the release is of another commit, as in a rollback."""
        if fix is None or gate.version is None:
            return fix
        try:
            folder, build = self._session.state.workspace.service_dir, self._session.service.config.build
            here = source.read(folder, allow_dirty=True, build=build).version
        except SourceError:
            return fix
        if gate.version == here:
            return fix
        return (
            f"{fix}. The tests are from {here}, the version that is checked out here. If they test something "
            f"that {gate.version} does not have, check out its commit and run the same command again"
        )

    def check(self, gate: Gate, progress: Progress, image: str, cancel: Cancel | None = None) -> GateResult:
        """Run the tests of one gate, and record their result.

        Without `cancel`, only the end of the run stops them.
        """
        result = gates.run_gate(
            self._request(gate, image),
            on_line=_showing(progress),
            cancel=cancel or self._session.run.cancelled,
            forks=self._forks,
        )
        self._note(gate, progress, result)
        return result

    def _note(self, gate: Gate, progress: Progress, result: GateResult) -> None:
        progress.note = _summary(result)
        self._recorder.tests(gate.name, result)

    def _request(self, gate: Gate, image: str) -> GateRequest:
        session = self._session
        return GateRequest(
            service=session.service.config.name,
            service_dir=session.state.workspace.service_dir,
            interpreter=self.pythons.of_gates(image),
            folder=self._folder(gate.name),
            timeout=gate.settings.gate_timeout,
            redact=session.service.hidden,
            extra_env=self._secrets(self.pythons.gates_need_image),
            marks=session.marks,
            engine=_engine_of(session, gate).host.variables,
            extra_args=self._arguments,
            url=gate.url if gate.inside and self.pythons.gates_need_image else gate.door or gate.url,
            environment=gate.name if gate.name == "local" else gate.settings.environment,
            pym_env=gate.pym_env,
            version=gate.version,
            release=gate.release,
            expect_release_header=gate.through_proxy,
            health_path=gate.settings.health_path,
            health_timeout=gate.settings.health_timeout,
            headers=gate.headers,
            header_limit=gate.header_limit,
        )

    def _secrets(self, in_image: bool) -> dict[str, str]:
        """The service's secrets, for tests that run in a container of the image."""
        if not in_image:
            return {}
        return {name: secret.reveal() for name, secret in self._session.service.secrets.items()}

    def _folder(self, name: str) -> Path:
        folder = self._recorder.folder / name
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def failure(
        self, result: GateResult, kind: type[CurtainupError], name: str, consequence: str | None, where: str
    ) -> CurtainupError:
        """Return the error for tests that did not pass; it shows the failing tests, not our traceback."""
        if result.stopped and self._session.run.cancelled.is_set():
            return Interrupted(f"interrupted during {name}", where=where)
        shown = [
            "\n".join(part for part in (test.name, test.location, test.excerpt or test.message) if part)
            for test in result.failed
        ]
        return kind(
            f"{name} failed: {result.reason}" if result.reason else f"{name} failed",
            where=where,
            consequence=consequence,
            fix=f"the whole output is in {result.log}",
            detail="\n\n".join(shown) or result.detail,
        )


def _engine_of(session: Session, gate: Gate) -> DockerEngine:
    """Return the Docker engine on which the image of a gate is."""
    if gate.name == "local":
        return session.accounts.builder
    return session.at(gate.settings.environment).accounts.engine


@dataclass(frozen=True)
class _Any:
    """Set as soon as one of several is."""

    several: tuple[Cancel, ...]

    def is_set(self) -> bool:
        return any(one.is_set() for one in self.several)


@dataclass(frozen=True)
class _Unclean:
    """Set as soon as the probe, if there is one, has seen that the release cannot keep the traffic."""

    watch: Watch | None

    def is_set(self) -> bool:
        return self.watch is not None and not self.watch.is_clean


def _showing(progress: Progress) -> Callable[[str], None]:
    """Show pytest's progress, and its last line where it is silent; its output is in the run's log."""
    last = ""

    def show(line: str) -> None:
        nonlocal last
        last = line.strip() or last
        if _PERCENT.search(line):
            progress.say(line)

    progress.where = lambda: last
    return show


def _summary(result: GateResult) -> str:
    if result.tests == 0:
        return result.reason or "no tests"
    failed = f", {len(result.failed)} failed" if result.failed else ""
    skipped = f", {result.skipped} skipped" if result.skipped else ""
    return f"{result.tests} test{'s' * (result.tests != 1)}{failed}{skipped}"
