"""Pure functions that build the arguments of pytest."""

from __future__ import annotations

from pathlib import PurePath

from curtainup.gates.models import GateRequest, UnitTestRequest

UNIT_TESTS = "test"
ACCEPTANCE_TESTS = "testaccept"
PLUGIN = "curtainup_acceptance.plugin"


def gate_arguments(request: GateRequest, acceptance: PurePath, report: str) -> list[str]:
    """Return the arguments for `testaccept/` and the smoke suite.

    Args:
        request: the gate.
        acceptance: curtainup's `acceptance/` folder, as the interpreter sees it.
        report: the path of the JUnit XML file.

    """
    if has_tests(request, ACCEPTANCE_TESTS):
        chosen = [] if _names_tests(request.extra_args) else [ACCEPTANCE_TESTS]
        suite = ["--curtainup-smoke", *chosen]
    else:
        suite = _smoke_alone(acceptance)
    return ["-p", PLUGIN, *_junit(report), *suite, *request.extra_args]


def unit_test_arguments(request: UnitTestRequest, report: str) -> list[str]:
    """Return the arguments for `test/`."""
    return [*_junit(report), UNIT_TESTS, *request.extra_args]


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


def _names_tests(extra_args: tuple[str, ...]) -> bool:
    """Return whether the user selects acceptance tests by path, instead of running all of them."""
    return any(PurePath(arg.split("::")[0]).parts[:1] == (ACCEPTANCE_TESTS,) for arg in extra_args)
