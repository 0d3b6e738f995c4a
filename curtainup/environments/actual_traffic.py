"""Reads from the switch's entry in the state how traffic really was split when the last update ended."""

from __future__ import annotations

from curtainup.targets.spec import Resources, Switch


def traffic(resources: Resources, switch: Switch) -> dict[str, int] | None:
    """Return the per cent of each release that has traffic; None where no switch was ever made.

    Args:
        resources: of the stack, as the state holds them.
        switch: what moves traffic on its target.

    """
    for resource in resources:
        if resource.get("type") == switch.type:
            shares = switch.shares(resource.get("outputs") or {}, resources)
            return None if shares is None else {one: share for one, share in shares.items() if share}
    return None
