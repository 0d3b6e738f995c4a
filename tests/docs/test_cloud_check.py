"""Each finding on the page about real accounts is shown by a test that is there, and mended by a module."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

from tests import docs_pages

TESTS = Path(__file__).parents[1]
ROWS = docs_pages.rows(docs_pages.DOCS / "cloud-check.md", "finding")


@cache
def _tests() -> frozenset[str]:
    trees = (ast.parse(file.read_text(encoding="utf-8")) for file in TESTS.rglob("test_*.py"))
    nodes = (node for tree in trees for node in ast.walk(tree))
    return frozenset(node.name for node in nodes if isinstance(node, ast.FunctionDef))


def test_every_finding_is_shown_by_a_test_that_is_there() -> None:
    assert len(ROWS) == 18
    missing = {
        cells[0]: named
        for cells in ROWS
        if not (named := set(re.findall(r"test_\w+", cells[2]))) or not named <= _tests()
    }
    assert missing == {}


def test_what_mends_it_is_there() -> None:
    root = TESTS.parent
    named = {one for cells in ROWS for one in re.findall(r"`([\w./-]+/[\w./-]*)`", cells[1])}
    assert named
    assert {
        one for one in named if not ((root / "curtainup" / one).exists() or (root / one).exists())
    } == set()
