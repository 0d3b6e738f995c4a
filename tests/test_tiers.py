"""What `make test` leaves out says why, and which test shows the same once."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
pytest_plugins = ["pytester"]


def reasons(tree: ast.Module) -> Iterator[str]:
    """The reason of each matrix that a module of tests has."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "matrix":
            yield from (str(ast.literal_eval(one.value)) for one in node.keywords if one.arg == "reason")


def test_each_reason_names_a_test_that_is_there() -> None:
    trees = {file: ast.parse(file.read_text()) for file in sorted(TESTS.rglob("*.py"))}
    nodes = (node for tree in trees.values() for node in ast.walk(tree))
    there = {node.name for node in nodes if isinstance(node, ast.FunctionDef)} | {file.stem for file in trees}
    given = {
        reason: set(re.findall(r"\btest_\w+", reason)) for tree in trees.values() for reason in reasons(tree)
    }
    assert len(given) > 1
    assert {reason: named for reason, named in given.items() if not named or not named <= there} == {}


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
