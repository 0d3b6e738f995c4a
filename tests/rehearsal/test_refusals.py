"""A stand-in says of a refusal what the real cloud says, and has no rule that the table does not know."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache

import pytest

from curtainup.errors import EngineFailed
from curtainup.targets.beanstalk import refusals as beanstalk
from curtainup.targets.cloud_run import refusals as cloud_run
from tests.rehearsal.refusals import FILE, Row, rows, stand_ins

FOLDERS = ("gcp", "aws")
WORDS = 3
"""Texts with fewer are names and keys."""
HOLE = "\0"
"""What stands in a text for a value."""
OWN = re.compile(r"a rehearsal|the rehearse|rehearsed |rehearsal: |asked to crash by the rehearsal")
"""Texts with it tell of the rehearsal's own limits, and say so."""
NO_REFUSALS = re.compile(
    r"""(?x)
    64bit\ Amazon | \(64bit\ Amazon | ^2(023)?\ v[\d.]+\ running | ^\0\ running\ on\ \0$  # platforms
    | ^[A-Z]\w+(\ [A-Z]\w+){2,}$  # lists of option names, and names of things
    | \ API$ | ^DeregistrationDelay | ^[^a-z]*$ | ^'\0'\ and\ '\0'$ | ^\(Namespace  # parts of texts
    | ^\#! | http-response | ^\0\.\0\ \+0000\ UTC$ | ^Unknown\ name\ "\0"$
    | ^(creating|updating|deleting|uploading)\ .*\)$ | ^Elastic\ Beanstalk\ Environment  # what is being done
    | ^waiting\ for\ \0\ \0:\ \0$ | ^last\ state
    | ^(createEnvironment|terminateEnvironment|swapEnvironmentCNAMEs)\ | ^Environment\ update\ is\ starting
    | ^Environment\ update\ completed | ^Successfully\ launched | ^(Swapping|Completed\ swapping)\ CNAMEs
    | ^Environment\ health\ has | ^Command\ execution\ completed | ^Container\ called\ exit  # events
    | ^exactly\ nothing$ | ^(deploy_target\ in|nothing\ was\ started|name\ the\ config|there\ is\ no\ AWS)
    | ^the\ cluster\ (of|does) | ^ECR\ |^IAM\ |^Secrets\ Manager\ Secret
    """
)
"""Texts of the stand-ins with which nothing is refused."""


@cache
def texts(module: str, least: int = WORDS) -> tuple[str, ...]:
    """Return the texts of a stand-in's module with so many words at least, with holes; no docstrings."""
    tree = ast.parse((FILE.parent / module).read_text(encoding="utf-8"))
    return tuple(text for text in _texts(tree) if len(text.split()) >= least and not OWN.search(text))


def _texts(tree: ast.AST) -> Iterator[str]:
    inner = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    inner |= {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if id(node) in inner:
            continue
        if isinstance(node, ast.JoinedStr):
            parts = (one.value if isinstance(one, ast.Constant) else HOLE for one in node.values)
            yield "".join(str(one) for one in parts)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def _says(text: str, row: Row) -> bool:
    """Whether a row has a text, whatever is in its holes, in braces, and where something is left out."""
    parts = re.split(r"\0|\{\w+\}", " ".join(text.split()))
    pattern = ".*".join(re.escape(part) for part in parts)
    return re.search(pattern, " ".join(row["text"].split()), re.DOTALL) is not None or _shortened(parts, row)


def _shortened(parts: list[str], row: Row) -> bool:
    """Whether a row whose text leaves something out has all that it does not leave out."""
    kept = [" ".join(one.split()) for one in row["text"].split("…")]
    return len(kept) > 1 and all(
        _in_order(one, "\0".join(parts)) for one in kept if len(one.split()) >= WORDS
    )


def _in_order(kept: str, text: str) -> bool:
    words = kept.split()
    runs = [" ".join(words[at : at + 4]) for at in range(max(1, len(words) - 3))]
    return any(run in text for run in runs)


def modules() -> list[str]:
    found = (path for folder in FOLDERS for path in sorted((FILE.parent / folder).rglob("*.py")))
    return [path.relative_to(FILE.parent).as_posix() for path in found]


@pytest.mark.parametrize("module", modules())
def test_each_rule_of_a_stand_in_has_a_row(module: str) -> None:
    known = [row for row in rows() if module in stand_ins(row)]
    beliefs = [
        text
        for text in texts(module)
        if not NO_REFUSALS.search(text) and not any(_says(text, row) for row in known)
    ]
    assert beliefs == []


@pytest.mark.parametrize("row", [row for row in rows() if stand_ins(row)], ids=lambda row: row["refusal"])
def test_what_a_row_says_of_a_stand_in_is_so(row: Row) -> None:
    for module in stand_ins(row):
        assert any(_says(text, row) for text in texts(module, least=2)), module


def test_every_row_is_whole() -> None:
    for row in rows():
        assert {"refusal", "cloud", "text", "source", "seen"} <= set(row)
        assert row.get("words") in {None, "moto", "own"}
        assert ("told" in row) == ("fix" in row)
        assert row["cloud"] == "any" or "told" in row
        assert re.fullmatch(r"20\d\d-\d\d", str(row["seen"]))
    assert len({row["refusal"] for row in rows()}) == len(rows())


@pytest.mark.parametrize(
    "row", [row for row in rows("any") if "told" not in row], ids=lambda row: row["refusal"]
)
def test_what_only_a_mistake_leads_to_is_shown_in_the_cloud_s_words(row: Row) -> None:
    error = EngineFailed("the update failed", detail=row["text"])
    for explained in (cloud_run.explained, beanstalk.explained):
        found = explained(error, "shop-live")
        assert found is error or found.detail == row["text"]


def test_a_rule_without_a_row_would_be_found() -> None:
    tree = ast.parse("def refuse(one):\n    raise AwsError('Bad', f'The {one} is bad today, says nobody.')\n")
    [text] = [one for one in _texts(tree) if len(one.split()) >= WORDS]
    assert not NO_REFUSALS.search(text)
    assert not any(_says(text, row) for row in rows())
