"""The time zones of the IANA database, as the package `tzdata` has them: the same on every machine."""

from __future__ import annotations

import io
from functools import cache
from importlib import resources
from zoneinfo import ZoneInfo


@cache
def names() -> frozenset[str]:
    """Return the names of all time zones."""
    return frozenset(resources.files("tzdata").joinpath("zones").read_text(encoding="utf-8").split())


def data(name: str) -> bytes:
    """Return what describes a time zone, as RFC 8536 has it (TZif).

    Raises:
        ValueError: there is no time zone of that name.

    """
    if name not in names():
        raise ValueError("no time zone")
    return resources.files("tzdata").joinpath("zoneinfo", *name.split("/")).read_bytes()


@cache
def zone(name: str) -> ZoneInfo:
    """Return a time zone.

    Raises:
        ValueError: there is none of that name.

    """
    return ZoneInfo.from_file(io.BytesIO(data(name)), key=name)
