"""Reads from the switch's entry in the state how traffic really was split when the last update ended."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

Resources = Sequence[Mapping[str, Any]]

PUBLIC_ACCESS = "gcp:cloudrunv2/serviceIamMember:ServiceIamMember"


def traffic(resources: Resources) -> dict[str, int] | None:
    """Return the per cent of each release that has traffic; None where no switch was ever made.

    Args:
        resources: of the stack, as the state holds them.

    """
    for resource in resources:
        reader = _READERS.get(str(resource.get("type")))
        if reader is not None:
            shares = reader(resource.get("outputs") or {}, resources)
            return None if shares is None else {one: share for one, share in shares.items() if share}
    return None


def _of_the_proxy(outputs: Mapping[str, Any], _: Resources) -> dict[str, int] | None:
    shares = outputs.get("traffic") or {}
    return {str(one): int(share) for one, share in shares.items()}


def _of_the_name(outputs: Mapping[str, Any], _: Resources) -> dict[str, int] | None:
    holder = outputs.get("holder")
    return {str(holder): 100} if holder else None


def _of_the_revisions(outputs: Mapping[str, Any], resources: Resources) -> dict[str, int] | None:
    """Return the traffic of each tag; a service that the public may not call has none."""
    if not any(one.get("type") == PUBLIC_ACCESS for one in resources):
        return None
    shares: dict[str, int] = {}
    for one in outputs.get("trafficStatuses") or ():
        if one.get("tag"):
            shares[one["tag"]] = shares.get(one["tag"], 0) + int(one.get("percent") or 0)
    return shares


_READERS: dict[str, Callable[[Mapping[str, Any], Resources], dict[str, int] | None]] = {
    "curtainup:traffic:TrafficSwitch": _of_the_proxy,
    "curtainup:cname_swap:CnameSwap": _of_the_name,
    "gcp:cloudrunv2/service:Service": _of_the_revisions,
}
