"""The requests to a gate, and its result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from curtainup.util.secrets import Secret


@dataclass(frozen=True)
class LocalInterpreter:
    """A Python on this machine that has the service's dependencies.

    Attributes:
        python: its path.
        lent: a folder of packages, pytest and requests among them, for those that it lacks; None lends none.

    """

    python: Path
    lent: Path | None = None


@dataclass(frozen=True)
class ImageInterpreter:
    """The Python of the service's built image.

    Attributes:
        image: None until the image is known.
        lent: as for a `LocalInterpreter`.

    """

    image: str | None = None
    lent: Path | None = None


@dataclass(frozen=True)
class ProvidedInterpreter:
    """curtainup's own Python for tests, for those that need only pytest and requests."""


Interpreter = LocalInterpreter | ImageInterpreter


@dataclass(frozen=True)
class UnitTestRequest:
    """One run of a service's unit tests.

    Attributes:
        service: the service's name.
        service_dir: its source, where pytest is started.
        interpreter: whose Python runs the tests.
        folder: where curtainup writes `junit.xml` and `pytest.log`; no other test run uses it.
        timeout: seconds that the tests may take.
        redact: secrets that no file, log or report may show.
        tests: the folders of the unit tests, relative to `service_dir`; a gate has none.
        extra_args: further arguments to pytest.
        extra_env: variables that the service's tests need beyond the deployer's own.
        marks: the labels of a container that is made for the tests.
        engine: the variables that lead to the Docker engine with the image, where this process has others.

    """

    service: str
    service_dir: Path
    interpreter: Interpreter
    folder: Path
    timeout: float
    redact: tuple[Secret, ...] = ()
    tests: tuple[str, ...] = ()
    extra_args: tuple[str, ...] = ()
    extra_env: Mapping[str, str] = field(default_factory=dict, repr=False)
    marks: Mapping[str, str] = field(default_factory=dict)
    engine: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class GateRequest(UnitTestRequest):
    """One run of a service's `testaccept/` and of the smoke suite against one URL.

    Attributes:
        url: where the service answers, without a path.
        environment: the environment's name, as curtainup knows it.
        pym_env: the value of PYM_ENV in the service's container: `dev` for the local one.
        version: the version that should answer; None if not known, as for a URL that the user gives.
        release: the release that should answer; None if not known.
        expect_release_header: whether requests pass through the proxy, which names the release.
        health_path: the path that answers 2xx when the service is well.
        health_timeout: seconds that an answer on that path may take.
        header_limit: bytes of headers that the proxy will take, where no proxy is asked; None is no limit.
        headers: what each request to the URL has to bear: `Host` and `X-Forwarded-Proto`, or none of them.

    """

    url: str = field(kw_only=True)
    environment: str = field(kw_only=True)
    pym_env: str = field(kw_only=True)
    version: str | None = None
    release: str | None = None
    expect_release_header: bool = False
    health_path: str = "/ping"
    health_timeout: float = 5.0
    headers: Mapping[str, str] = field(default_factory=dict)
    header_limit: int | None = None


@dataclass(frozen=True)
class FailedTest:
    """One failed test, described for its developer.

    Attributes:
        name: as pytest names it; the smoke suite's tests begin with `smoke suite::`.
        location: `file:line` of the failing line, relative to the service; None in the smoke suite.
        message: the failure in one line.
        excerpt: a few lines: the failing line and pytest's explanation.

    """

    name: str
    location: str | None
    message: str
    excerpt: str


@dataclass(frozen=True)
class GateResult:
    """The result of a test run.

    Attributes:
        passed: whether the tests passed; for a gate, whether the run is a proof.
        tests: how many tests ran or were skipped.
        failed: the failed tests, in the order in which they ran.
        skipped: how many tests were skipped.
        seconds: how long the run took.
        junit: the JUnit file; None if pytest ended before it wrote a complete one.
        log: the file with pytest's output.
        reason: one line that says why the tests did not pass, or that there were none; None if they passed.
        detail: the end of the log, when tests did not pass and no failed test explains why.
        stopped: whether someone stopped the run before it ended.

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
