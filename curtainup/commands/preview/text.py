"""A preview as text for a terminal."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from curtainup.model.preview import PLACE, ResourcePreview, StackPreview

MOST_KEYS = 6
"""How many keys of a resource are shown; the others are counted."""


def render(
    found: Sequence[StackPreview], redact: Callable[[str], str] = str, freeze: str | None = None
) -> str:
    """Return the previews of a service's stacks as text; `freeze` is the freeze that is on, in words."""
    lines = []
    for one in found:
        counts = ", ".join(f"{count} {kind}" for kind, count in sorted(one.changes.items()) if count)
        lines.append(f"{one.stack}: {counts if one.changed else 'no changes'}")
        lines += [f"  {move}" for move in one.moves]
        lines += [f"    {resource(change)}" for change in one.resources]
    if warning := danger(found):
        lines.append(warning)
    if freeze and any(one.changed for one in found):
        lines.append(frozen(freeze))
    return redact("\n".join(lines))


def frozen(told: str) -> str:
    """Return one line about the freeze that is on, in words."""
    return f"FROZEN: live is frozen until {told}; deploy needs --during-freeze"


def danger(found: Sequence[StackPreview]) -> str:
    """Return one line about the dangerous changes; empty if there are none."""
    count = sum(len(one.dangers) for one in found)
    if not count:
        return ""
    what = "1 change replaces or removes" if count == 1 else f"{count} changes replace or remove"
    return f"DANGEROUS: {what} what holds data or traffic; deploy needs --allow-replace"


def resource(one: ResourcePreview) -> str:
    """Return what happens to a resource, in one line."""
    mark = "DANGEROUS: " if one.dangerous else ""
    return f"{mark}{one.operation} {kind(one)} {one.name}{because(one)}"


def kind(one: ResourcePreview) -> str:
    """Return the short name of a resource's type."""
    return one.type.rpartition(":")[2]


def because(one: ResourcePreview) -> str:
    """Return why and when a resource changes; of a list it says only that the list differs."""
    built = f" (image {one.image})" if one.image else ""
    later = ", once the new release is proven" if one.after else ""
    if one.forced_by:
        return f"{built}: forced by {_some(one.forced_by)}{later}"
    keys = list(dict.fromkeys(PLACE.split(key, maxsplit=1)[0] for key in one.keys))
    return f"{built}: {_some(keys)}{later}" if keys else f"{built}{later}"


def _some(keys: Sequence[str]) -> str:
    shown = ", ".join(keys[:MOST_KEYS])
    return shown if len(keys) <= MOST_KEYS else f"{shown} and {len(keys) - MOST_KEYS} more"
