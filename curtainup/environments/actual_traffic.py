"""Reads from the switch's entry in the state what it had done when the last update ended or was cut off."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from curtainup.targets.spec import Resources, Switch


def traffic(resources: Resources, switch: Switch) -> dict[str, int] | None:
    """Return the per cent of each release that has traffic; None where no switch was ever made.

    Args:
        resources: of the stack, as the state holds them.
        switch: what moves traffic on its target.

    """
    found = _switch(resources, switch)
    if found is None:
        return traffic(resources, switch.otherwise) if switch.otherwise else None
    shares = switch.shares(found.get("outputs") or {}, resources)
    return None if shares is None else {one: share for one, share in shares.items() if share}


def generation(resources: Resources, switch: Switch) -> int:
    """Return the generation of the settings that the switch carried out last; 0 if it has none."""
    found = _switch(resources, switch) or {}
    return int((found.get("inputs") or {}).get("generation") or 0)


def _switch(resources: Resources, switch: Switch) -> Mapping[str, Any] | None:
    return next((one for one in resources if one.get("type") == switch.type and switch.is_it(one)), None)
