"""The table of what the clouds refuse, in their own words."""

from __future__ import annotations

from pathlib import Path
from typing import TypedDict

import yaml

from curtainup import rehearsal

FILE = Path(rehearsal.__file__).parent / "refusals.yaml"


class Row(TypedDict, total=False):
    """One refusal; the head of the file says what each field is."""

    refusal: str
    cloud: str
    text: str
    words: str
    source: str
    seen: str
    told: str
    fix: str
    stand_in: str | list[str]


def rows(cloud: str = "") -> list[Row]:
    """Return the rows of a cloud, or all."""
    found: list[Row] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return [one for one in found if not cloud or one["cloud"] == cloud]


def stand_ins(row: Row) -> list[str]:
    """Return the modules of the stand-ins that say a refusal."""
    found = row.get("stand_in", [])
    return [found] if isinstance(found, str) else found
