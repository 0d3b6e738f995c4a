"""Pure functions that build the arguments of pytest."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path, PurePath

from curtainup.errors import ConfigError
from curtainup.gates import needs
from curtainup.gates.models import GateRequest, UnitTestRequest

UNIT_TESTS = ("test", "tests")
"""The folders in which unit tests are looked for; the first that there is counts."""
ACCEPTANCE_TESTS = "testaccept"
PLUGIN = "curtainup_acceptance.plugin"
REPORTERS = frozenset({"no:junitxml", "no:terminal"})
"""What would take away plugins of pytest itself that a verdict needs."""


def gate_arguments(request: GateRequest, acceptance: PurePath, report: str) -> list[str]:
    """Return the arguments for `testaccept/` and the smoke suite.

    Args:
        request: the gate.
        acceptance: curtainup's `acceptance/` folder, as the interpreter sees it.
        report: the path of the JUnit XML file.

    """
    if has_tests(request, ACCEPTANCE_TESTS):
        chosen = [] if _names_tests(request.extra_args) else [ACCEPTANCE_TESTS]
        whole = [] if request.extra_args else ["--curtainup-whole"]
        suite = ["--curtainup-smoke", *whole, *chosen]
    else:
        suite = _smoke_alone(acceptance)
    return ["-p", PLUGIN, *_junit(report), *_with_reporters(request.service_dir), *suite, *request.extra_args]


def unit_test_arguments(request: UnitTestRequest, report: str) -> list[str]:
    """Return the arguments for the unit tests."""
    return [*_junit(report), *_with_reporters(request.service_dir), *request.tests, *request.extra_args]


def unit_test_folders(service_dir: Path, configured: Sequence[str] | None) -> tuple[str, ...]:
    """Return the folders of a service's unit tests: the configured ones, else `test`, else `tests`.

    Args:
        service_dir: the service's source.
        configured: `unit_tests` of `pym-config.yaml`; None where the file does not say.

    Raises:
        ConfigError: a configured folder does not exist.

    """
    if configured is None:
        return tuple(name for name in UNIT_TESTS if (service_dir / name).is_dir())[:1]
    for name in configured:
        if not (service_dir / name).exists():
            raise ConfigError(
                f"unit_tests names {name}, which does not exist",
                where=str(service_dir / name),
                consequence="these tests could not run, so nothing was built or deployed",
                fix="correct unit_tests in pym-config.yaml",
            )
    return tuple(configured)


def has_tests(request: UnitTestRequest, folder: str) -> bool:
    """Return whether the service has that folder."""
    return (request.service_dir / folder).is_dir()


def _smoke_alone(acceptance: PurePath) -> list[str]:
    """Ignore the service's pytest settings and `conftest.py`: the service has no tests that need them."""
    smoke = acceptance / "curtainup_acceptance" / "smoke"
    settings = ["-c", str(smoke / "pytest.ini"), "--rootdir", str(acceptance), "--noconftest"]
    return [*settings, str(smoke / "test_smoke.py")]


def _junit(report: str) -> list[str]:
    """Ask for the older report family, because only that one contains file and line."""
    return [f"--junitxml={report}", "-o", "junit_family=xunit1"]


def _with_reporters(service_dir: Path) -> list[str]:
    """Return the service's `addopts` without what would take a reporter away, if there is such a thing."""
    words = needs.option_words(needs.settings_of(service_dir).get("addopts", ""))
    kept: list[str] = []
    for word in words:
        taken = word.removeprefix("-p") in REPORTERS or (kept[-1:] == ["-p"] and word in REPORTERS)
        if not taken:
            kept.append(word)
        elif kept[-1:] == ["-p"]:
            kept.pop()
    return [] if kept == words else ["-o", f"addopts={shlex.join(kept)}"]


def _names_tests(extra_args: tuple[str, ...]) -> bool:
    """Return whether the user selects acceptance tests by path, instead of running all of them."""
    return any(PurePath(arg.split("::")[0]).parts[:1] == (ACCEPTANCE_TESTS,) for arg in extra_args)
