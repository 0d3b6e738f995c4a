"""What `make test` leaves out says why, and which test shows the same once."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
SOURCES = {file: ast.parse(file.read_text()) for file in sorted(TESTS.rglob("*.py"))}
pytest_plugins = ["pytester"]


def reasons() -> Iterator[str]:
    """The reason of each matrix, wherever one is written in the tests."""
    for tree in SOURCES.values():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.matrix":
                yield from (str(ast.literal_eval(one.value)) for one in node.keywords if one.arg == "reason")


@pytest.mark.parametrize("reason", sorted(set(reasons())))
def test_a_reason_names_a_test_that_is_there(reason: str) -> None:
    functions = {
        node.name for tree in SOURCES.values() for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)
    }
    named = set(re.findall(r"\btest_\w+", reason))
    assert named, "it says which test shows the same once"
    assert named <= functions | {file.stem for file in SOURCES}


@pytest.mark.parametrize(
    "arguments", ["", "()", "(reason='')", "(reason=' ')", "('one of many')", "(why='x')"]
)
def test_a_matrix_without_a_reason_is_refused(pytester: pytest.Pytester, arguments: str) -> None:
    done = run(pytester, arguments)
    assert done.ret == pytest.ExitCode.INTERRUPTED
    done.stdout.fnmatch_lines(["*test_case: write pytest.mark.matrix(reason=*"])


def test_it_is_refused_by_workers_too(pytester: pytest.Pytester) -> None:
    done = run(pytester, "", "--numprocesses", "1")
    assert done.ret != 0
    done.stdout.fnmatch_lines(["*test_case: write pytest.mark.matrix(reason=*"])


@pytest.mark.parametrize(("chosen", "ran"), [("not matrix", ["claim"]), ("", ["case", "claim"])])
def test_a_matrix_with_a_reason_is_left_out_only_when_asked(
    pytester: pytest.Pytester, chosen: str, ran: list[str]
) -> None:
    done = run(pytester, "(reason='test_claim shows it once')", "-m", chosen)
    done.assert_outcomes(passed=len(ran), deselected=2 - len(ran))
    done.stdout.fnmatch_lines([f"*::test_{name} PASSED*" for name in ran])


def run(pytester: pytest.Pytester, arguments: str, *options: str) -> pytest.RunResult:
    """Run a suite of two tests, one of which is marked, with the hook of this suite."""
    pytester.makeini("[pytest]\nmarkers = matrix: left out\n")
    pytester.makeconftest("from tests.conftest import pytest_pycollect_makeitem")
    pytester.makepyfile(
        f"import pytest\n\n@pytest.mark.matrix{arguments}\ndef test_case(): pass\n\ndef test_claim(): pass\n"
    )
    pytester.syspathinsert(str(TESTS.parent))
    return pytester.runpytest_inprocess("-v", "--strict-markers", *options)
