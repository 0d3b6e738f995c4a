"""One section of the manual of pym-config.yaml: its text, its example and its keys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import BaseModel
from pydantic.fields import FieldInfo


@dataclass(frozen=True, kw_only=True)
class Page:
    """One section.

    Attributes:
        file: its name in docs/config/.
        title: what it is about.
        text: Markdown; links are as from docs/.
        example: a whole `pym-config.yaml`.
        keys: that stand in the file itself.
        entry: what one entry of its list holds, by the list's key.
        single: whether that key holds one such mapping, and no list.

    """

    file: str
    title: str
    text: str
    example: str
    keys: Mapping[str, FieldInfo]
    entry: tuple[str, type[BaseModel]] | None = None
    single: bool = False
