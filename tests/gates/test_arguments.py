from __future__ import annotations

from pathlib import Path, PurePosixPath

import pytest

from curtainup.errors import ConfigError
from curtainup.gates.arguments import gate_arguments, unit_test_arguments, unit_test_folders
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
    assert unit_test_arguments(unit_tests(tmp_path, tests=("test",), extra_args=("-x",)), "/report") == [
        *REPORT,
        "test",
        "-x",
    ]


def test_unit_tests_are_in_test_or_tests_or_where_the_configuration_says(tmp_path: Path) -> None:
    assert unit_test_folders(tmp_path, None) == ()
    (tmp_path / "tests").mkdir()
    assert unit_test_folders(tmp_path, None) == ("tests",)
    (tmp_path / "test").mkdir()
    assert unit_test_folders(tmp_path, None) == ("test",)
    assert unit_test_folders(tmp_path, ["tests", "test"]) == ("tests", "test")
    assert unit_test_folders(tmp_path, []) == ()


def test_a_configured_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="unit_tests names src/tests, which does not exist"):
        unit_test_folders(tmp_path, ["src/tests"])


@pytest.mark.parametrize(
    ("addopts", "kept"),
    [
        ("-q -p no:junitxml -ra", "-q -ra"),
        ("-pno:terminal -m 'not slow'", "-m 'not slow'"),
        ("-p no:cacheprovider", None),
    ],
)
def test_settings_cannot_take_away_what_the_verdict_is_read_from(
    unit_tests: MakeUnitTests, tmp_path: Path, addopts: str, kept: str | None
) -> None:
    (tmp_path / "pytest.ini").write_text(f"[pytest]\naddopts = {addopts}\n")

    arguments = unit_test_arguments(unit_tests(tmp_path), "/report")

    assert arguments == [*REPORT, *([] if kept is None else ["-o", f"addopts={kept}"])]
