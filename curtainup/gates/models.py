"""What a gate is asked and what it answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from curtainup.util.secrets import Secret


@dataclass(frozen=True)
class LocalInterpreter:
    """A Python on this machine that has the service's dependencies, pytest and requests."""

    python: Path


@dataclass(frozen=True)
class ImageInterpreter:
    """The Python of the service's built image; `image` is None until the image is known."""

    image: str | None = None


Interpreter = LocalInterpreter | ImageInterpreter


@dataclass(frozen=True)
class UnitTestRequest:
    """One run of a service's `test/`.

    Attributes:
        service: the service's name.
        service_dir: its source, where pytest is started.
        interpreter: whose Python runs the tests.
        folder: where `junit.xml` and `pytest.log` are written; for this run of tests alone.
        timeout: seconds.
        redact: secrets that must not show in anything that is written or passed on.
        extra_args: further arguments to pytest.
        extra_env: further variables; what the service's tests need beyond the deployer's own.

    """

    service: str
    service_dir: Path
    interpreter: Interpreter
    folder: Path
    timeout: float
    redact: tuple[Secret, ...] = ()
    extra_args: tuple[str, ...] = ()
    extra_env: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class GateRequest(UnitTestRequest):
    """One run of a service's `testaccept/` and of the smoke suite against one URL.

    Attributes:
        url: where the service answers, without a path.
        environment: the environment's name, as curtainup knows it.
        pym_env: what the service's container has as PYM_ENV: `dev` for the local one.
        version: the version that should answer; None if not known, as with a URL given by hand.
        release: the release that should answer; None if not known.
        expect_release_header: whether the URL passes through the proxy, which names the release.
        health_path: the path that answers 2xx when the service is well.

    """

    url: str = field(kw_only=True)
    environment: str = field(kw_only=True)
    pym_env: str = field(kw_only=True)
    version: str | None = None
    release: str | None = None
    expect_release_header: bool = False
    health_path: str = "/ping"


@dataclass(frozen=True)
class FailedTest:
    """One failed test, as its developer wants to see it.

    Attributes:
        name: as pytest names it; the smoke suite's tests begin with `smoke suite::`.
        location: `file:line` of the failing line, relative to the service; None in the smoke suite.
        message: the failure in one line.
        excerpt: the failing line and what pytest says of it; a few lines.

    """

    name: str
    location: str | None
    message: str
    excerpt: str


@dataclass(frozen=True)
class GateResult:
    """What came of a run of tests.

    Attributes:
        passed: whether it proves anything.
        tests: how many were run or skipped.
        failed: the failed ones, in the order they ran.
        skipped: how many were skipped.
        seconds: how long it took.
        junit: the JUnit file, or None if pytest did not get as far as writing one.
        log: all that pytest printed.
        reason: one line: why it did not pass, or that there was nothing to run.
        detail: the end of the log, where no failed test says more.
        stopped: whether it was stopped from outside before it had ended.

    """

    passed: bool
    tests: int
    failed: tuple[FailedTest, ...]
    skipped: int
    seconds: float
    junit: Path | None
    log: Path
    reason: str | None = None
    detail: str | None = None
    stopped: bool = False
