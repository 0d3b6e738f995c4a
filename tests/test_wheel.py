"""What an installation brings: the program's files travel as data, named one by one."""

from __future__ import annotations

import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_the_wheel_has_each_module_of_the_program() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    included = project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    modules = {f"stacks/{one.name}" for one in (ROOT / "stacks").glob("*.py")}
    assert {one for one in included if one.startswith("stacks/")} == modules
