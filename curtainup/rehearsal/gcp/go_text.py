"""Durations and times as the real providers, written in Go, read and print them."""

from __future__ import annotations

import re
from datetime import UTC, datetime

_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|h|m|s)")


def seconds(text: str) -> float | None:
    """Return the seconds of a duration such as `1h2m3.5s`, or None if the text is no duration."""
    if not re.fullmatch(rf"({_PART.pattern})+", text):
        return None
    return sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(text))


def duration(length: float) -> str:
    """Return a duration as Go prints it: `20m0s`."""
    hours, rest = divmod(length, 3600)
    minutes, left = divmod(rest, 60)
    if hours:
        return f"{hours:.0f}h{minutes:.0f}m{left:g}s"
    return f"{minutes:.0f}m{left:g}s" if minutes else f"{left:g}s"


def timestamp(since: float) -> str:
    """Return a time, given in seconds since 1970, as Go prints it in UTC."""
    moment = datetime.fromtimestamp(since, UTC)
    return f"{moment:%Y-%m-%d %H:%M:%S}.{moment.microsecond // 1000:03} +0000 UTC"
