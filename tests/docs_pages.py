"""What the manual says, as data: pages, links, options, and the commands that stand in it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from curtainup.cli.command_line import command_line

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
COMMANDS = DOCS / "commands"

_FENCED = re.compile(r"^(```|~~~).*?^\1", re.DOTALL | re.MULTILINE)
_INDENTED = re.compile(r"^(?: {4}|\t).*$", re.MULTILINE)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_OPTION = re.compile(r"(?<![\w-])--?[a-z][a-z-]*")
_FILE = re.compile(r"(acceptance|benchmarks|components|curtainup|docs|examples|offline|stacks|tests)/.*")
_STANDS_FOR_MANY = re.compile(r"[A-Z]{3}|[…*]")
_CELL = re.compile(r"(?<!\\)\|")


def pages() -> list[Path]:
    """All pages, those at the root too."""
    return [*sorted(ROOT.glob("*.md")), *sorted(DOCS.rglob("*.md"))]


def prose(page: Path) -> str:
    """A page's text without its blocks of code."""
    return _INDENTED.sub("", _FENCED.sub("", page.read_text(encoding="utf-8")))


def links(page: Path) -> list[str]:
    """Where a page leads to in this repository."""
    found = _LINK.findall(re.sub(r"`[^`]*`", "", prose(page)))
    return [link for link in found if not re.match(r"[a-z]+:", link)]


def files(page: Path) -> set[str]:
    """The files of this repository that a page names in code, but for names that stand for many."""
    spans = re.findall(r"`([^`\s]+)`", prose(page))
    return {one for one in spans if _FILE.fullmatch(one) and not _STANDS_FOR_MANY.search(one)}


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", _FENCED.sub("", page.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", one.lower()).replace(" ", "-") for one in headings}


def commands() -> dict[str, Any]:
    """The real commands, which are click's, by their names."""
    group: Any = typer.main.get_command(command_line())
    return dict(group.commands)


def options(command: Any) -> set[str]:
    """All spellings of a command's options but --help."""
    found = (opt for param in command.params if param.param_type_name == "option" for opt in param.opts)
    return set(found) - {"--help"}


def rows(page: Path, head: str) -> list[list[str]]:
    """The cells of each row of the tables on a page whose first heading is `head`."""
    found: list[list[str]] = []
    for block in page.read_text(encoding="utf-8").split("\n\n"):
        lines = block.strip().splitlines()
        if lines and lines[0].startswith(f"| {head} |"):
            found += [[cell.strip() for cell in _CELL.split(line)[1:-1]] for line in lines[2:]]
    return found


def options_in(text: str) -> set[str]:
    return set(_OPTION.findall(text))


def command_lines(page: Path) -> Iterator[list[str]]:
    """The words of each `curtainup …` that stands in code on a page."""
    text = page.read_text(encoding="utf-8")
    spans = re.findall(r"`([^`\n]*)`", prose(page))
    blocks = [line for block in _FENCED.finditer(text) for line in block.group().splitlines()]
    blocks += _INDENTED.findall(_FENCED.sub("", text))
    for line in [*spans, *blocks]:
        match = re.match(r"\s*(?:\$ )?((?:[A-Z_]+=\S+ )*)curtainup (.*)", line)
        if match:
            yield _words(match[2])


def _words(text: str) -> list[str]:
    """The words up to what ends a command in a shell."""
    lexer = shlex.shlex(text, posix=True, punctuation_chars="|;&<>()")
    lexer.whitespace_split = True
    lexer.commenters = "#"
    words: list[str] = []
    try:
        for word in lexer:
            if set(word) <= set("|;&<>()"):
                break
            words.append(word)
    except ValueError:
        return text.split()
    return words
