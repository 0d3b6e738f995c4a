"""docs/architecture.md says what the program imports and what stands in stack configuration."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from curtainup.engine.deployer import KEY
from curtainup.environments import stack
from curtainup.images import builds
from curtainup.model.environment import Environment
from curtainup.model.release import Deployment
from tests import docs_pages, samples

PAGE = docs_pages.DOCS / "architecture.md"
TEXT = PAGE.read_text(encoding="utf-8")
PROGRAM = [docs_pages.ROOT / "__main__.py", *(docs_pages.ROOT / "stacks").rglob("*.py")]
PROGRAM += (docs_pages.ROOT / "components").rglob("*.py")


def imported(file: Path) -> set[str]:
    """The modules of the driver that a file imports."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{one.name}" for one in node.names}
    return {_module(one) for one in found if one.startswith("curtainup.")}


def _module(name: str) -> str:
    path = docs_pages.ROOT / name.replace(".", "/")
    return name if path.is_dir() or path.with_suffix(".py").is_file() else name.rpartition(".")[0]


def test_the_program_imports_what_the_page_says_and_nothing_else_of_the_driver() -> None:
    sentence = TEXT.partition("The program also imports ten small modules:")[2].partition("\n\n")[0]
    told = set(re.findall(r"`(curtainup[\w.]+)`", sentence))
    assert len(told) == 10
    used = {module for file in PROGRAM for module in imported(file)}
    assert {one for one in used if not one.startswith("curtainup.model")} == told


def test_every_key_of_an_environment_s_stack_is_told() -> None:
    rows = docs_pages.rows(PAGE, "key of an environment's stack")
    told = {name for cells in rows for name in re.findall(r"`(\w+)`", cells[0])}
    written = stack.configured(Environment("shop-live", samples.environment()), Deployment())
    assert told == {*written, KEY, "program"}


def test_the_page_says_how_many_builds_are_remembered() -> None:
    assert f"the last {builds.KEPT} builds" in TEXT
