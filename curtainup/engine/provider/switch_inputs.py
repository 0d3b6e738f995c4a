"""What a traffic switch may be given: nothing that would break traffic, or mean more than it says elsewhere.

The values reach HAProxy's file and the paths of the Docker engine's API.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from curtainup.engine.provider.kind import Properties
from curtainup.engine.provider.protocol import UNKNOWN, has_unknown

_ADDRESS = re.compile(r"([0-9]{1,3}\.){3}[0-9]{1,3}:[0-9]{1,5}")
_NAME = re.compile(r"[A-Za-z0-9_.-]+")


def failures(olds: Properties, news: Properties) -> list[tuple[str, str]]:
    """Return what is wrong with the inputs, as property and reason; unknown values pass."""
    backends, traffic = news.get("backends", []), news.get("traffic", {})
    found = _check_generation(olds.get("generation"), news.get("generation"))
    found += _check_values(news)
    if not has_unknown(backends):
        found += _check_backends(backends)
    if not found and not has_unknown(backends) and not has_unknown(traffic):
        found += _check_traffic([one["release"] for one in backends], traffic)
    return found


def _check_generation(old: Any, new: Any) -> list[tuple[str, str]]:
    if old is None or UNKNOWN in (old, new) or new >= old:
        return []
    reason = (
        f"the stack's settings file is older (generation {new}) than what is deployed ({old}), and "
        "would move traffic back; fix: pulumi config refresh --force"
    )
    return [("generation", reason)]


def _check_values(news: Properties) -> list[tuple[str, str]]:
    """Check what reaches the Docker engine or HAProxy's file besides the backends."""
    failures = [
        (name, f"{news[name]!r} is no name of a container")
        for name in ("proxy", "proxyId")
        if news.get(name) not in (None, UNKNOWN) and not _is_name(news[name])
    ]
    for name, least in (("requestTimeout", 1), ("drainTimeout", 0)):
        value = news.get(name, least)
        if value != UNKNOWN and (not isinstance(value, int) or value < least):
            failures.append((name, f"{value!r} is not a whole number of seconds from {least} on"))
    page = news.get("maintenance")
    if page not in (None, UNKNOWN) and not isinstance(page, str):
        failures.append(("maintenance", "it is no page of text"))
    for name in ("gateway", "door"):
        address = news.get(name)
        if address not in (None, UNKNOWN) and not _ADDRESS.fullmatch(f"{address}:0"):
            failures.append((name, f"{address!r} is not an IPv4 address"))
    return failures


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and _NAME.fullmatch(value) is not None


def _check_backends(backends: list[Mapping[str, Any]]) -> list[tuple[str, str]]:
    failures: list[tuple[str, str]] = []
    names = [one["release"] for one in backends]
    for index, one in enumerate(backends):
        if not _is_name(one["release"]) or names.count(one["release"]) > 1:
            failures.append((f"backends[{index}].release", f"{one['release']!r} is no unique release id"))
        if not isinstance(one["address"], str) or not _ADDRESS.fullmatch(one["address"]):
            failures.append((f"backends[{index}].address", f"{one['address']!r} is not ip:port"))
        if not _is_name(one["container"]):
            failures.append((f"backends[{index}].container", f"{one['container']!r} is no container"))
        limit = one.get("pidsLimit")
        if limit is not None and (not isinstance(limit, int) or limit < 1):
            failures.append((f"backends[{index}].pidsLimit", f"{limit!r} is no number of processes"))
    return failures


def _check_traffic(releases: list[str], traffic: Mapping[str, int]) -> list[tuple[str, str]]:
    unknown = sorted(set(traffic) - set(releases))
    if unknown:
        return [("traffic", f"{', '.join(unknown)} is not among the backends {', '.join(releases)}")]
    if any(not isinstance(share, int) or not 0 <= share <= 100 for share in traffic.values()):
        return [("traffic", f"shares are whole per cent from 0 to 100, not {dict(traffic)}")]
    if sum(traffic.values()) not in {0, 100}:
        return [("traffic", f"shares sum to {sum(traffic.values())}, not 100: {dict(traffic)}")]
    return []
