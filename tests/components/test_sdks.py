"""Which parts of the clouds' SDKs mypy reads: all that are used, as others it would take for anything."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
SDKS = ("pulumi_aws", "pulumi_gcp")


def read() -> set[str]:
    """The parts that pyproject.toml names."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["mypy"]["overrides"]
    [named] = [one["module"] for one in settings if one.get("follow_imports") == "normal"]
    return {name.removesuffix(".*") for name in named if name.endswith(".*")}


def used(tree: ast.Module) -> Iterator[str]:
    """The parts that a module imports from an SDK, or reaches through it."""
    sdks: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            sdks |= {one.asname or one.name: one.name for one in node.names if one.name in SDKS}
        elif isinstance(node, ast.ImportFrom) and node.module in SDKS:
            yield from (f"{node.module}.{one.name}" for one in node.names)
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(value=ast.Name(id=name), attr=part) if name in sdks and part.islower():
                yield f"{sdks[name]}.{part}"


def test_mypy_reads_the_parts_of_the_sdks_that_are_used_and_no_others() -> None:
    sources = [file for folder in ("components", "stacks", "tests") for file in (ROOT / folder).rglob("*.py")]

    assert {part for file in sources for part in used(ast.parse(file.read_text()))} == read()
