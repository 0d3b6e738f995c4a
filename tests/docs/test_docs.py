"""The manual says what is there: pages, links, commands, options and exit codes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests import docs_pages
from tests.docs_pages import COMMANDS, DOCS

EXIT_CODES = DOCS / "exit-codes.md"
PULUMI = "curtainup pulumi [ARGS]..."
"""It takes Pulumi's own."""
IMAGES = {"curtainup/base", "curtainup/proxy", "curtainup/registry"}
"""They are named like files."""
NAMES = sorted(docs_pages.commands())


def shown(page: Path) -> str:
    return str(page.relative_to(docs_pages.ROOT))


def codes() -> set[str]:
    return {cells[0] for cells in docs_pages.rows(EXIT_CODES, "code")}


@pytest.mark.parametrize("page", docs_pages.pages(), ids=shown)
def test_every_link_leads_somewhere(page: Path) -> None:
    for link in docs_pages.links(page):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        assert not anchor or anchor in docs_pages.anchors(target), link


@pytest.mark.parametrize("page", docs_pages.pages(), ids=shown)
def test_every_file_that_is_named_is_there(page: Path) -> None:
    named = docs_pages.files(page) - IMAGES
    assert {one for one in named if not (docs_pages.ROOT / one).exists()} == set()


def test_the_index_leads_to_every_page() -> None:
    index = DOCS / "README.md"
    listed = {(DOCS / link).resolve() for link in docs_pages.links(index)}
    assert {page for page in DOCS.rglob("*.md") if page != index} - listed == set()


def test_every_command_has_a_page_and_every_page_a_command() -> None:
    assert sorted(page.stem for page in COMMANDS.iterdir()) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_the_readme_leads_to_the_page_of_each_command(name: str) -> None:
    assert f"docs/commands/{name}.md" in docs_pages.links(docs_pages.ROOT / "README.md")


@pytest.mark.parametrize("name", NAMES)
def test_a_page_begins_with_the_command_as_it_is_called(name: str) -> None:
    command = docs_pages.commands()[name]
    context = command.make_context(f"curtainup {name}", [], resilient_parsing=True)
    usage = PULUMI if name == "pulumi" else context.get_usage().partition("Usage: ")[2]
    text = (COMMANDS / f"{name}.md").read_text(encoding="utf-8")
    assert text.startswith(f"# curtainup {name}\n\n    {' '.join(usage.split())}\n")


@pytest.mark.parametrize("name", NAMES)
def test_a_page_has_every_option_and_no_other(name: str) -> None:
    found = docs_pages.rows(COMMANDS / f"{name}.md", "option")
    listed = {option for cells in found for option in docs_pages.options_in(cells[0])}
    assert listed == docs_pages.options(docs_pages.commands()[name])


@pytest.mark.parametrize("name", NAMES)
def test_a_page_has_exit_codes_that_there_are(name: str) -> None:
    found = docs_pages.rows(COMMANDS / f"{name}.md", "exit code")
    listed = {code for cells in found for code in re.findall(r"\d+", cells[0])}
    assert listed <= codes()
    assert "0" in listed or name == "pulumi"


@pytest.mark.parametrize("page", docs_pages.pages(), ids=shown)
def test_every_command_that_is_written_can_be_given(page: Path) -> None:
    commands = docs_pages.commands()
    for name, *words in filter(None, docs_pages.command_lines(page)):
        if not re.fullmatch(r"[a-z][a-z-]*", name) or name == "pulumi":
            continue
        assert name in commands, f"curtainup {name}"
        own = words[: words.index("--")] if "--" in words else words
        given = {word.partition("=")[0] for word in own if re.match(r"--?[a-z]", word)}
        assert given <= docs_pages.options(commands[name]) | {"--help"}, f"curtainup {name} {words}"
