"""docs/notifications.md says what there is."""

from __future__ import annotations

import re
from pathlib import Path

from curtainup.config.notify import EVENTS, USUAL
from curtainup.reporting.notify.notifier import PATIENCE
from tests import docs_pages
from tests.config.conftest import Service

PAGE = docs_pages.DOCS / "notifications.md"


def test_the_example_is_right(tmp_path: Path) -> None:
    (text,) = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(Service(tmp_path).load(f"name: hello\n{text}").notify) == 2


def test_every_event_is_told_with_whether_it_is_told_unasked() -> None:
    rows = docs_pages.rows(PAGE, "event")
    assert {cells[0].strip("`") for cells in rows} == set(EVENTS)
    asked = {cells[0].strip("`") for cells in rows if "only where `events` lists it" in cells[2]}
    assert asked == set(EVENTS) - set(USUAL)


def test_the_wait_is_as_long_as_it_says() -> None:
    assert f"waits for what is still under way, {PATIENCE:.0f} s at most" in PAGE.read_text(encoding="utf-8")
