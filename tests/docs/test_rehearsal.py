"""docs/rehearsal.md names every fault, and every command that acts on a rehearsal."""

from __future__ import annotations

import re

from curtainup.rehearsal import faults
from tests import docs_pages

PAGE = docs_pages.DOCS / "rehearsal.md"
COMMAND = docs_pages.COMMANDS / "rehearse.md"


def test_every_fault_is_told() -> None:
    assert {cells[0].strip("`") for cells in docs_pages.rows(PAGE, "fault")} == set(faults.KINDS)
    (option,) = (cells[1] for cells in docs_pages.rows(COMMAND, "option") if "--fault" in cells[0])
    assert set(re.findall(r"`([a-z-]+)`", option)) == set(faults.KINDS)


def test_every_command_that_acts_on_a_rehearsal_is_told() -> None:
    sentence = re.search(r"((?:`[a-z]+`[, and\n]*)+) take `--rehearsal`", PAGE.read_text(encoding="utf-8"))
    assert sentence is not None
    taking = {name for name, one in docs_pages.commands().items() if "--rehearsal" in docs_pages.options(one)}
    assert set(re.findall(r"`([a-z]+)`", sentence[1])) == taking
