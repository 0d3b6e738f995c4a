"""The differences that an update makes, and generated names, as in Pulumi's bridged providers."""

from __future__ import annotations

import re
import secrets
from collections.abc import Collection, Mapping
from typing import Any

from curtainup.engine.provider.protocol import differences, message_module
from curtainup.rehearsal.assets import hashed
from curtainup.rehearsal.kind import Kind

messages = message_module("provider_pb2")

DEFAULTS = "__defaults"
"""The input in which bridged providers list the inputs that they generated."""

_RANDOM_DIGITS = 7


def visible(properties: Mapping[str, Any]) -> dict[str, Any]:
    """Return properties without those that are internal to the provider."""
    return {name: value for name, value in properties.items() if not name.startswith("__")}


def named(kind: Kind, request: Any, olds: Mapping[str, Any], news: Mapping[str, Any]) -> dict[str, Any]:
    """Return inputs with a name; if none is given, with the old one or a new one with a random end."""
    by = kind.named_by
    if by is None:
        return dict(news)
    if news.get(by) is not None:
        return {**news, DEFAULTS: []}
    made_up = by in (olds.get(DEFAULTS) or [])
    name = request.urn.rpartition("::")[2]
    digits = (request.randomSeed or secrets.token_bytes(4)).hex()[:_RANDOM_DIGITS]
    return {**news, by: olds[by] if made_up else f"{name}-{digits}", DEFAULTS: [by]}


def response(
    olds: Mapping[str, Any],
    news: Mapping[str, Any],
    replaced_by: Collection[str],
    ignored: Collection[str],
    named_by: str | None = None,
) -> Any:
    """Return the answer to the engine's question what differs between old and new inputs.

    If the name was given and stays the same, the resource is deleted before its replacement is created.
    """
    found = {
        path: change
        for path, change in differences(hashed(visible(olds)), hashed(visible(news))).items()
        if not any(_covers(one, path) for one in ignored)
    }
    replacing = [path for path in found if any(_covers(one, _plain(path)) for one in replaced_by)]
    kinds = messages.PropertyDiff.Kind
    detailed = {
        path: messages.PropertyDiff(
            kind=kinds.Value(f"{change}_REPLACE" if path in replacing else change), inputDiff=True
        )
        for path, change in found.items()
    }
    given = named_by is not None and named_by not in (news.get(DEFAULTS) or [])
    return messages.DiffResponse(
        changes=messages.DiffResponse.DIFF_SOME if found else messages.DiffResponse.DIFF_NONE,
        replaces=sorted({_top(path) for path in replacing}),
        diffs=sorted({_top(path) for path in found}),
        detailedDiff=detailed,
        hasDetailedDiff=True,
        deleteBeforeReplace=bool(replacing) and given and named_by not in found,
    )


def _covers(outer: str, path: str) -> bool:
    return path == outer or path.startswith((f"{outer}.", f"{outer}["))


def _plain(path: str) -> str:
    return re.sub(r"\[\d+\]", "", path)


def _top(path: str) -> str:
    return re.split(r"[.\[]", path, maxsplit=1)[0]
