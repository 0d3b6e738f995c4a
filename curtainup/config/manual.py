"""Writes the manual's pages on the configuration: `python -m curtainup.config.manual docs/config.md`.

That is the index in docs/config.md, whose other text is written by hand, and docs/config/ as a whole.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from pydantic.fields import FieldInfo

from curtainup.config.keys import EVERYWHERE, doc_of
from curtainup.config.keys import written as keys_of
from curtainup.config.page import Page
from curtainup.config.pages import PAGES

BEGIN: Final = "<!-- keys: written by curtainup.config.manual -->"
END: Final = "<!-- end of keys -->"
_RELATIVE: Final = re.compile(r"\]\((?=[a-z])(?!https?:)")


def index() -> str:
    """Every page with its keys, as Markdown."""
    rows = [f"| [{page.title}](config/{page.file}) | {_names(page)} |" for page in PAGES]
    return "\n".join(["| page | keys |", "| --- | --- |", *rows]) + "\n"


def written(text: str) -> str:
    """`text`, of docs/config.md, with its index as it should be."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{index()}\n{END}{after}"


def text_of(page: Page) -> str:
    """A page in docs/config/, as Markdown."""
    return _RELATIVE.sub("](../", "\n".join(_lines(page)))


def _lines(page: Page) -> Iterator[str]:
    yield f"# {page.title}\n"
    yield f"{page.text}\n"
    yield f"```yaml\n{page.example}```\n"
    yield _table(page.keys)
    if page.entry:
        name, model = page.entry
        what = f"`{name}` is" if page.single else f"An entry of `{name}` can be"
        yield f"{what} a mapping with these keys:\n"
        yield _table(keys_of(model))
    yield "All other keys: [configuration](config.md)."
    yield ""


def _names(page: Page) -> str:
    return ", ".join(f"`{name}`" for name in page.keys)


def _table(fields: Mapping[str, FieldInfo]) -> str:
    head = ["| key | meaning | type | default | targets | example |", "| --- " * 6 + "|"]
    return "\n".join([*head, *(_row(name, field) for name, field in fields.items())]) + "\n"


def _row(name: str, field: FieldInfo) -> str:
    doc = doc_of(field)
    targets = "all" if doc.targets == EVERYWHERE else ", ".join(doc.targets) or "none"
    example = f"`{name}: {doc.example}`"
    return f"| `{name}` | {field.description} | {doc.expects} | {_default(field)} | {targets} | {example} |"


def _default(field: FieldInfo) -> str:
    """The default as YAML writes it, or in words."""
    if field.is_required():
        return "required"
    shown = doc_of(field).shown
    if shown is not None:
        return shown
    value = field.default
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if value in ({}, ()):
        return "empty"
    return str(value)


if __name__ == "__main__":
    for name in sys.argv[1:]:
        target = Path(name)
        target.write_text(written(target.read_text(encoding="utf-8")), encoding="utf-8")
        folder = target.with_suffix("")
        folder.mkdir(exist_ok=True)
        for page in PAGES:
            (folder / page.file).write_text(text_of(page), encoding="utf-8")
