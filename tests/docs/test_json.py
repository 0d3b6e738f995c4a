"""The fields of `--json`, on which scripts rely, are those that the pages of the commands name."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Any

import pytest

from curtainup.commands.notify import Tried
from curtainup.commands.promote import Discarded
from curtainup.commands.review import Reviewed
from curtainup.commands.test import Tested as OfTest
from curtainup.environments.review import Standing
from curtainup.model.checks import Check
from curtainup.model.preview import ResourcePreview, StackPreview
from curtainup.pipeline.result import Result
from tests import docs_pages


def fields(*models: Any) -> set[str]:
    """The fields of dataclasses and of pydantic models."""
    return {
        name
        for model in models
        for name in (getattr(model, "model_fields", None) or [one.name for one in dataclasses.fields(model)])
    }


def of_option(name: str) -> str:
    rows = docs_pages.rows(docs_pages.COMMANDS / f"{name}.md", "option")
    (said,) = (cells[1] for cells in rows if cells[0] == "`--json`")
    return said


def of_sentence(page: Path) -> str:
    text = " ".join(page.read_text(encoding="utf-8").split())
    (said,) = re.findall(r"`--json` prints (?:these for each|the same by stack).*?\. ?(?=[A-Z#-])", text)
    return str(said)


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        (of_option("deploy"), fields(Result, Reviewed)),
        (of_option("promote"), fields(Result, Discarded)),
        (of_option("rollback"), fields(Result)),
        (of_option("test"), fields(OfTest)),
        (of_option("doctor"), fields(Check)),
        (of_option("notify"), fields(Tried) | {"sent"}),
        (of_sentence(docs_pages.DOCS / "review-environments.md"), fields(Standing) | {"outcome", "why"}),
        (of_sentence(docs_pages.DOCS / "preview.md"), fields(StackPreview, ResourcePreview)),
    ],
    ids=["deploy", "promote", "rollback", "test", "doctor", "notify", "sweep", "preview"],
)
def test_every_field_is_told(said: str, wanted: set[str]) -> None:
    assert wanted - set(re.findall(r"`(\w+)`", said)) == set()
