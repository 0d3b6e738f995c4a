from __future__ import annotations

from pathlib import Path, PurePosixPath

from curtainup.gates.arguments import gate_arguments, unit_test_arguments
from tests.gates.conftest import MakeGate, MakeUnitTests

OURS = PurePosixPath("/ours")
REPORT = ["--junitxml=/report", "-o", "junit_family=xunit1"]
PLUGIN = ["-p", "curtainup_acceptance.plugin"]


def test_a_gate_runs_the_acceptance_tests_and_the_smoke_suite(gate: MakeGate, tmp_path: Path) -> None:
    (tmp_path / "testaccept").mkdir()

    arguments = gate_arguments(gate(tmp_path, extra_args=("-x",)), OURS, "/report")

    assert arguments == [*PLUGIN, *REPORT, "--curtainup-smoke", "testaccept", "-x"]


def test_without_acceptance_tests_only_our_own_settings_are_in_force(gate: MakeGate, tmp_path: Path) -> None:
    smoke = "/ours/curtainup_acceptance/smoke"

    assert gate_arguments(gate(tmp_path), OURS, "/report") == [
        *PLUGIN,
        *REPORT,
        "-c",
        f"{smoke}/pytest.ini",
        "--rootdir",
        "/ours",
        "--noconftest",
        f"{smoke}/test_smoke.py",
    ]


def test_unit_tests_get_nothing_of_ours(unit_tests: MakeUnitTests, tmp_path: Path) -> None:
    assert unit_test_arguments(unit_tests(tmp_path, extra_args=("-x",)), "/report") == [*REPORT, "test", "-x"]
