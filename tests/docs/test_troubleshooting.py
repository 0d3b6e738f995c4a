"""docs/troubleshooting.md has the messages of the code, with their exit codes."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

from curtainup import errors
from curtainup.errors import CurtainupError
from tests import docs_pages

PAGE = docs_pages.DOCS / "troubleshooting.md"
SOURCES = ("acceptance", "curtainup", "components", "stacks")
GAP = "…"
"""What stands for a value, in a message of the code and on the page."""
VALUES = re.compile(
    rf"{GAP}|: |, |\b[A-Z]{{2,}}\b|\d+|pym-config(\.live)?\.yaml|infra/|gcp-cloud-run|pulumi-gcp"
)
"""Where a message on the page shows a value, or begins to say more."""
NOT_OURS = {
    "Operation not permitted",
    "curtainup preview",
    "***",
    "cut off",
    "pym-config.yaml has … problems.",
}
"""What is no message of ours, only a part of one, or one with hardly a word of its own."""
ELSEWHERE = (
    "curtainup/commands/doctor/",
    "curtainup/setup/",
    "curtainup/targets/beanstalk/checks.py",
    "curtainup/targets/beanstalk/permissions.py",
    "curtainup/targets/cloud_run/checks.py",
    "curtainup/targets/gke/checks.py",
    "curtainup/targets/kubernetes/checks.py",
    "curtainup/engine/provider/",
    "curtainup/platforms/haproxy/",
    "curtainup/rehearsal/",
)
"""The doctor and set-up name the fix in each line. What a provider says is shown as the engine's failure."""
UNSEEN = {
    "--url, --env and --image exclude each other": "it says all",
    "no release …": "no command asks for a release that it does not know",
    "the record of a run cannot be read": "whoever reads records goes on without it",
    "… runs no tasks, and … has some": "each target runs tasks",
    "… runs no processes, and … has some": "the configuration is refused first",
    "… runs no schedules, and … has some": "the configuration is refused first",
}
"""Messages that nobody has to look up, and why."""
EDGES = " .:;,()=/`"
TELLING = 10
"""Characters of a piece that tells one message from another."""
CHOSEN = 3
"""Words at an end of a piece that the code may choose, such as `empty` or `cut off`."""


class Raised(NamedTuple):
    """A message, the exit code of its error, and where it stands."""

    message: str
    code: int
    file: str


@cache
def texts() -> str:
    """All texts of the code, with `…` where they have a value."""
    nodes = (node for file in _files() for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))))
    return "\n".join(_template(node) for node in nodes if isinstance(node, ast.Constant | ast.JoinedStr))


@cache
def raised() -> list[Raised]:
    """The messages that stand where an error is made."""
    found = (one for file in _files() if not _place(file).startswith(ELSEWHERE) for one in _raised(file))
    return [one for one in found if any(pieces(one.message))]


def _files() -> list[Path]:
    return [file for name in SOURCES for file in sorted((docs_pages.ROOT / name).rglob("*.py"))]


def _place(file: Path) -> str:
    return str(file.relative_to(docs_pages.ROOT))


def _raised(file: Path) -> Iterator[Raised]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args:
            kind = getattr(errors, node.func.id, None)
            if isinstance(kind, type) and issubclass(kind, CurtainupError):
                yield Raised(_template(node.args[0]), kind.exit_code, _place(file))


def _template(node: ast.AST) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(map(_template, node.values))
    return GAP


def rows() -> Iterator[tuple[str, str]]:
    """Each message on the page, with what stands under `exit`."""
    for cells in docs_pages.rows(PAGE, "what you see"):
        for message in re.findall(r"``\s?(.+?)\s?``|`(.+?)`", cells[0]):
            text = "".join(message).removeprefix("warning: ")
            if text not in NOT_OURS:
                yield text, cells[1]


def pieces(message: str) -> list[str]:
    """The parts of a message without its values, as far as they tell it from others."""
    found = (one.strip(EDGES) for one in re.split(f"{GAP}|: ", message))
    return [one for one in found if len(one) >= TELLING]


def stands_in(piece: str, text: str) -> bool:
    """Whether a text has a piece, but for some words at one of its ends."""
    words = piece.split()
    most = min(CHOSEN, len(words) - 2)
    tried = [piece, *(part for n in range(1, most + 1) for part in (words[n:], words[:-n]))]
    return any((one if isinstance(one, str) else " ".join(one)) in text for one in tried)


@pytest.mark.parametrize("message", sorted({text for text, _ in rows()}))
def test_every_message_on_the_page_is_one_of_the_code(message: str) -> None:
    told = pieces(re.sub(VALUES, GAP, message)) or [message]
    assert any(stands_in(one, texts()) for one in told)


def test_each_message_has_its_exit_code() -> None:
    wrong = {}
    for message, code in rows():
        same = (one for one in raised() if all(piece in message for piece in one.message.split(GAP)))
        codes = {one.code for one in same if len(one.message) > 2 * TELLING}
        if code.isdecimal() and codes and int(code) not in codes:
            wrong[message] = (code, codes)
    assert wrong == {}


def test_every_message_that_somebody_may_look_up_is_on_the_page() -> None:
    page = PAGE.read_text(encoding="utf-8")
    found = {
        one.message: pieces(one.message) for one in raised() if not one.message.startswith("interrupted")
    }
    missing = {message for message, parts in found.items() if not any(stands_in(one, page) for one in parts)}
    assert missing == set(UNSEEN)
