"""The smoke suite against services that are wrong in one way each."""

from __future__ import annotations

import ast
import subprocess
import sys
import venv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from curtainup_acceptance.plugin import SMOKE

from curtainup.gates import Forks, GateResult, LocalInterpreter, run_gate
from tests.gates.conftest import MakeGate, MakeService
from tests.gates.serving import HEALTHY, Answer, paths, serve

PACKAGE = SMOKE.parent.parent
RELEASE = {"Curtainup-Release": "r7f3a1c2"}


@pytest.fixture
def smoke(make_service: MakeService, gate: MakeGate) -> Any:
    """Run the smoke suite against these answers."""
    service = make_service({})

    def run(answers: Mapping[str, Answer], **changed: Any) -> GateResult:
        with serve(paths(answers)) as served:
            return run_gate(gate(service, url=served.url, **changed))

    return run


def _failed(result: GateResult) -> list[str]:
    return [failed.name.removeprefix("smoke suite::test_smoke_") for failed in result.failed]


def test_a_service_that_is_not_well(smoke: Any) -> None:
    result = smoke({**HEALTHY, "/ping": Answer("out of memory", 500)})

    assert _failed(result) == ["health", "keep_alive", "new_connections", "burst"]
    assert result.failed[0].message.endswith("-> 500 'out of memory'")
    assert result.failed[3].message.startswith("20 of 20 requests at once failed")


def test_a_health_path_of_its_own(smoke: Any) -> None:
    assert smoke({"/healthz": Answer(status=204, body="")}, health_path="/healthz").passed


def test_unknown_paths_that_break_the_service(make_service: MakeService, gate: MakeGate) -> None:
    with serve(lambda path: HEALTHY.get(path, Answer(status=500))) as served:
        result = run_gate(gate(make_service({}), url=served.url))

    assert _failed(result) == ["unknown_path"]


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_service_that_shows_no_version_is_not_asked_for_it(smoke: Any, status: int) -> None:
    result = smoke({**HEALTHY, "/version": Answer(status=status)})

    assert (result.passed, result.skipped) == (True, 2)


@pytest.mark.parametrize("answer", [Answer("v1", 500), Answer('{"version": "v0"}')])
def test_another_version(smoke: Any, answer: Answer) -> None:
    assert _failed(smoke({**HEALTHY, "/version": answer})) == ["version"]


def test_a_path_for_the_version_can_be_left_out(smoke: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CURTAINUP_VERSION_PATH", "")

    assert smoke({**HEALTHY, "/version": Answer("the API's own, 1.0")}).passed


@pytest.mark.parametrize(("expected", "failed"), [("r7f3a1c2", []), ("r91c20ab", ["release"])])
def test_the_release_behind_the_proxy(smoke: Any, expected: str, failed: list[str]) -> None:
    answers = {**HEALTHY, "/ping": Answer(headers=RELEASE)}

    result = smoke(answers, release=expected, expect_release_header=True)

    assert _failed(result) == failed
    assert result.skipped == 0


def test_a_proxy_that_does_not_name_the_release(smoke: Any) -> None:
    result = smoke(HEALTHY, release="r7f3a1c2", expect_release_header=True)

    assert result.failed[0].message.endswith("/ping was answered by release None, not by r7f3a1c2")


def test_without_anything_to_test_each_test_says_so(make_service: MakeService, gate: MakeGate) -> None:
    service = make_service({"testaccept/test_it.py": "def test_it(http): pass\n"})

    result = run_gate(gate(service, extra_env={"CURTAINUP_URL": "", "PYM_SERVER_HOST": ""}))

    said = "no URL to test: set CURTAINUP_URL, or PYM_SERVER_HOST and PYM_SERVER_PORT"
    assert len(result.failed) == 1 + 7
    assert all(said in failed.excerpt for failed in result.failed)


@pytest.mark.parametrize(
    "file", [*sorted(PACKAGE.rglob("*.py")), PACKAGE.parent / "fork_server.py"], ids=lambda file: file.name
)
def test_it_is_written_for_older_pythons(file: Path) -> None:
    ast.parse(file.read_text(), feature_version=(3, 8))


@pytest.fixture(scope="session")
def old_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python with the oldest pytest and requests that are promised."""
    folder = tmp_path_factory.mktemp("old") / "venv"
    venv.create(folder)
    python = folder / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet"]
    subprocess.run([*pip, "pytest==6.2.5", "requests==2.20.1"], check=True, capture_output=True)
    return python


def test_it_runs_with_the_oldest_pytest_and_requests_and_warnings_as_errors(
    make_service: MakeService, gate: MakeGate, old_python: Path
) -> None:
    test = "def test_it(http, base_url, expected_version):\n    assert http.get('/ping').ok\n"
    service = make_service(
        {
            "testaccept/test_smoke.py": test,
            "pytest.ini": "[pytest]\nfilterwarnings = error\naddopts = --strict-markers\n",
        }
    )

    old = LocalInterpreter(old_python)
    with Forks() as forks:
        forks.warm(old, service, for_gates=True)
        for how in (None, forks):
            result = run_gate(gate(service, interpreter=old), forks=how)
            assert (result.passed, result.tests, result.reason) == (True, 8, None), result
        assert forks.serves(old)
