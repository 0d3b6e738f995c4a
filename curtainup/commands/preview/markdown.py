"""A preview as Markdown: for a comment, a job's summary or a file."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from curtainup.commands.preview.text import because, kind
from curtainup.engine.changes import STAYS
from curtainup.model.preview import ResourcePreview, StackPreview
from curtainup.reporting.review.models import Style

FOLDED_FROM = 20
"""The number of lines from which on details are folded."""
UNBOUND = Style(folds=True, room=10**9)
"""No limit, and details folded: for a terminal or a file."""
MOST_DANGERS = 20
"""How many dangerous changes are shown one by one."""
SPECIAL = re.compile(r"([\\`*_\[\]|~])")


@dataclass(frozen=True)
class _Writer:
    """Writes texts as Markdown.

    Attributes:
        style: what the destination allows.
        redact: takes secrets out; it runs before escaping, because it does not know escaped secrets.
        folded: whether details are folded.
        freeze: the freeze of live that is on, in words.

    """

    style: Style
    redact: Callable[[str], str]
    folded: bool
    freeze: str | None = None

    def words(self, text: str) -> str:
        """Return a text with all markup escaped."""
        plain = re.sub(r"\s+", " ", self.redact(text)).replace("&", "&amp;").replace("<", "&lt;")
        return SPECIAL.sub(r"\\\1", plain)

    def code(self, text: str) -> str:
        """Return a name as code, without backticks, which would end it, and bars, which would end a cell."""
        return "`" + re.sub(r"[`|\s]", "?", self.redact(text)) + "`"


def render(
    service: str,
    found: Sequence[StackPreview],
    style: Style = UNBOUND,
    redact: Callable[[str], str] = str,
    freeze: str | None = None,
) -> str:
    """Return the previews of a service's stacks; `freeze` is the freeze that is on, in words.

    If there is too little room, a note that says where to find them replaces the longest details.
    """
    length = sum(len(one.moves) + len(one.resources) for one in found)
    writer = _Writer(style, redact, folded=style.folds and length >= FOLDED_FROM, freeze=freeze)
    details = {one.stack: _details(one, writer) for one in found}
    excess = len(_document(service, found, details, writer)) - style.room
    note = _note(style)
    for stack in sorted(details, key=lambda stack: len(details[stack]), reverse=True):
        if excess > 0 and len(details[stack]) > len(note):
            excess -= len(details[stack]) - len(note)
            details[stack] = note
    text = _document(service, found, details, writer)
    return text if len(text) <= style.room else _cut(_document(service, found, {}, writer), style)


def _document(service: str, found: Sequence[StackPreview], details: dict[str, str], writer: _Writer) -> str:
    changed = sum(one.changed for one in found)
    would = f"{changed} of {len(found)} stacks would change." if changed else "Nothing would change."
    parts = [f"### What deploying {writer.code(service)} would change", would]
    if dangers := [change for one in found for change in one.dangers]:
        parts.append(_warning(dangers, writer))
    if writer.freeze and changed:
        parts.append(
            f"> **Live is frozen until {writer.words(writer.freeze)}.** Deploying needs `--during-freeze`."
        )
    parts.append(_table(found, writer))
    parts += [_section(stack, text, writer) for stack, text in details.items() if text]
    return "\n\n".join(parts)


def _table(found: Sequence[StackPreview], writer: _Writer) -> str:
    rows = ["| stack | would change | stays |", "| --- | --- | ---: |"]
    for one in found:
        counts = [
            f"{count} {kind}" for kind, count in sorted(one.changes.items()) if count and kind not in STAYS
        ]
        stays = sum(count for kind, count in one.changes.items() if kind in STAYS) if one.changes else "all"
        would = f"**{writer.words(', '.join(counts))}**" if one.changed else "nothing"
        rows.append(f"| {writer.code(one.stack)} | {would} | {stays} |")
    return "\n".join(rows)


def _details(one: StackPreview, writer: _Writer) -> str:
    moves = [f"- {writer.words(move)}" for move in one.moves]
    return "\n".join([*moves, *(f"- {_resource(change, writer)}" for change in one.resources)])


def _warning(dangers: Sequence[ResourcePreview], writer: _Writer) -> str:
    """Return the dangerous changes, which are never folded."""
    lines = [f"> - {_resource(change, writer)}" for change in dangers[:MOST_DANGERS]]
    if len(dangers) > MOST_DANGERS:
        lines.append(f"> - and {len(dangers) - MOST_DANGERS} more")
    warning = "> **Dangerous: what holds data or traffic is replaced or removed. Deploying needs"
    return "\n".join([f"{warning} `--allow-replace`.**", ">", *lines])


def _resource(one: ResourcePreview, writer: _Writer) -> str:
    mark = "**dangerous:** " if one.dangerous else ""
    return f"{mark}{one.operation} {kind(one)} {writer.code(one.name)}{writer.words(because(one))}"


def _section(stack: str, text: str, writer: _Writer) -> str:
    if not writer.folded:
        return f"**{writer.code(stack)}**\n\n{text}"
    name = writer.code(stack).strip("`")
    return f"<details>\n<summary><code>{name}</code></summary>\n\n{text}\n\n</details>"


def _note(style: Style) -> str:
    log = f"[this job's output]({style.log})" if style.log else "this job's output"
    return f"*Too long to show here: all of it is in {log}.*"


def _cut(text: str, style: Style) -> str:
    """Return as many first lines as there is room for."""
    note = f"\n\n{_note(style)}"
    kept = text[: max(0, style.room - len(note))]
    return f"{kept.rpartition(chr(10))[0]}{note}"
