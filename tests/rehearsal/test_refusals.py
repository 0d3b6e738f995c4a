"""A stand-in says of a refusal what the real cloud says, word for word."""

from __future__ import annotations

import ast
import re

import pytest

from tests.rehearsal.refusals import FILE, Row, rows

WORDS = 4
"""So many words in a row must be the same; names and numbers between them differ."""


def test_every_row_is_whole() -> None:
    for row in rows():
        assert {"refusal", "cloud", "text", "source", "seen", "told", "fix"} <= set(row)
    assert len({row["refusal"] for row in rows()}) == len(rows())


@pytest.mark.parametrize("row", [row for row in rows() if "stand_in" in row], ids=lambda row: row["refusal"])
def test_what_a_stand_in_says_was_said_by_the_real_cloud(row: Row) -> None:
    said = _texts((FILE.parent / row["stand_in"]).read_text(encoding="utf-8"))
    words = row["text"].split()
    runs = [" ".join(words[at : at + WORDS]) for at in range(len(words) - WORDS + 1)]
    assert any(run in said for run in runs), row["text"]


def _texts(source: str) -> str:
    """Return all texts of a module, each with its parts joined."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.JoinedStr):
            parts = [one.value if isinstance(one, ast.Constant) else "\0" for one in node.values]
            found.append("".join(str(one) for one in parts))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.append(node.value)
    return re.sub(r"\s+", " ", "\n".join(found))
