"""The pytest plugin: `-p curtainup_acceptance.plugin`, and `--curtainup-smoke` to add the smoke suite.

The plugin adds the smoke suite after pytest has found its root, so the service's own `rootdir`, settings and
`conftest.py` stay in force.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Iterator

import pytest

from curtainup_acceptance import headers, proxy
from curtainup_acceptance.session import ServiceSession
from curtainup_acceptance.target import Target, read_target

INTERRUPTED = 2  # pytest.ExitCode
PYTEST = int(pytest.__version__.partition(".")[0])
NAMES = ("test_*.py", "*_test.py")  # pytest's own, whatever `python_files` says
NOSE = re.compile(r"^class \w+\(.*TestCase.*\):|^class Test|^(?:async )?def test\w*\(\)", re.MULTILINE)
SMOKE = Path(__file__).parent / "smoke" / "test_smoke.py"
REFUSALS = proxy.from_environment()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare `--curtainup-smoke`."""
    group = parser.getgroup("curtainup")
    group.addoption("--curtainup-smoke", action="store_true", help="run curtainup's smoke suite as well")
    group.addoption("--curtainup-whole", action="store_true", help="run all tests, whatever ran before")


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    """Overrule settings with which no gate can judge: no sockets, or those tests alone that failed before."""
    if hasattr(config.option, "force_enable_socket"):
        config.option.force_enable_socket = True
    if config.getoption("--curtainup-whole"):
        for name in ("lf", "failedfirst", "newfirst", "stepwise", "stepwise_skip"):
            if hasattr(config.option, name):
                setattr(config.option, name, False)


def pytest_configure(config: pytest.Config) -> None:
    """Add the smoke suite, even if the service's settings give its test functions other names.

    Requests bear the gate's headers from here on.
    """
    sent = headers.from_environment()
    if sent is not None:
        headers.install(sent)
    if REFUSALS.url:
        proxy.install(REFUSALS)
    if config.getoption("--curtainup-smoke"):
        config.args.append(str(SMOKE))
        config.addinivalue_line("python_functions", "test_smoke_")
        for pattern in (*NAMES, *_named_for_nose(Path.cwd() / "testaccept")):
            config.addinivalue_line("python_files", pattern)


def _named_for_nose(folder: Path) -> Iterator[str]:
    """Yield the names of files with tests that nose took and pytest does not, as `testping.py`."""
    for file in folder.rglob("test*.py"):
        if NOSE.search(file.read_text(encoding="utf-8", errors="replace")):
            yield file.name


if PYTEST >= 7:

    @pytest.hookimpl(tryfirst=True)
    def pytest_ignore_collect(collection_path: Path) -> bool | None:
        """Collect the smoke suite, whatever the service's settings ignore."""
        return False if _is_smoke(collection_path) else None

else:

    @pytest.hookimpl(tryfirst=True)
    def pytest_ignore_collect(path: object) -> bool | None:  # type: ignore[misc] # pytest 6
        """Collect the smoke suite, whatever the service's settings ignore."""
        return False if _is_smoke(Path(str(path))) else None


@pytest.hookimpl(hookwrapper=True, tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> Iterator[None]:
    """Bring back the tests of the smoke suite that the service's settings deselect."""
    whole = config.getoption("--curtainup-whole")
    smoke = [item for item in items if whole and _is_smoke(Path(str(item.fspath)))]
    yield
    items += [item for item in smoke if item not in items]


def _is_smoke(path: Path) -> bool:
    return path == SMOKE or path in SMOKE.parents


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, exitstatus: int) -> None:
    """Name the test that was interrupted and what the proxy refused, because nothing else says it."""
    for line in REFUSALS.lines():
        terminalreporter.write_line(line)
    phase = os.environ.get("PYTEST_CURRENT_TEST")  # `testaccept/test_a.py::test_it (call)`
    if exitstatus == INTERRUPTED and phase:
        terminalreporter.write_line(f"curtainup: stopped in {phase.rsplit(' ', 1)[0]}")


@pytest.fixture(scope="session")
def curtainup_target() -> Target:
    """The target of this run; the other fixtures return parts of it."""
    try:
        return read_target()
    except LookupError as error:
        pytest.fail(str(error), pytrace=False)


@pytest.fixture(scope="session")
def base_url(curtainup_target: Target) -> str:
    """The URL under test, without a slash at its end."""
    return curtainup_target.url


@pytest.fixture
def http(curtainup_target: Target) -> Iterator[ServiceSession]:
    """A requests session with time-outs and retries, which accepts paths instead of URLs."""
    with ServiceSession(curtainup_target.url) as session:
        yield session


@pytest.fixture(scope="session")
def environment_name(curtainup_target: Target) -> str:
    """The environment under test (`dev`, `staging`, `live`); skips the test if it is not known."""
    return _known(curtainup_target.environment, "environment")


@pytest.fixture(scope="session")
def expected_version(curtainup_target: Target) -> str:
    """The version that should answer; skips the test if it is not known, as for a URL from the user."""
    return _known(curtainup_target.version, "version")


@pytest.fixture(scope="session")
def expected_release(curtainup_target: Target) -> str:
    """The id of the release that should answer; skips the test if it is not known."""
    return _known(curtainup_target.release, "release")


def _known(value: str | None, name: str) -> str:
    if not value:
        pytest.skip(f"the {name} behind this URL is not known")
    return value
