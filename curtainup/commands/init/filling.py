"""Filling templates in: `%%{name}`, as a single `$` belongs to shells, workflows and Docker."""

from __future__ import annotations

import string
import textwrap
from importlib import resources

MARK = "%%"


class _Template(string.Template):
    delimiter = MARK


def fill(template: str, values: dict[str, str]) -> str:
    """Return a template of `curtainup/commands/init/templates` with its names replaced.

    A name alone on its line stands for any number of lines, which get that line's indentation; where it
    stands for nothing, the line goes.
    """
    text = (resources.files("curtainup.commands.init") / "templates" / template).read_text(encoding="utf-8")
    return "".join(_line(line, values) for line in text.splitlines(keepends=True))


def _line(line: str, values: dict[str, str]) -> str:
    name = line.strip().removeprefix(MARK + "{").removesuffix("}")
    if line.strip() != f"{MARK}{{{name}}}":
        return _Template(line).substitute(values)
    block = values[name].rstrip("\n")
    indentation = line[: len(line) - len(line.lstrip())]
    return textwrap.indent(block, indentation) + "\n" if block else ""
