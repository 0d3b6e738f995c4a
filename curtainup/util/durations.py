"""Durations as people write them: `90s`, `5m`, `1h30m`, `7d`."""

from __future__ import annotations

import re

UNITS = {"d": 86400, "h": 3600, "m": 60, "s": 1}
EXPECTED = "a whole number of seconds, minutes, hours or days, such as 90s, 5m, 1h30m or 7d"

_PATTERN = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")


def parse(text: str) -> int:
    """Return a duration in seconds.

    Raises:
        ValueError: the text is not a duration; the message says what a duration looks like.

    """
    found = _PATTERN.fullmatch(text.strip().lower())
    if found is None or not any(found.groups()):
        raise ValueError(f"{text!r} is not {EXPECTED}")
    return sum(int(count or 0) * size for count, size in zip(found.groups(), UNITS.values(), strict=True))


def render(seconds: float) -> str:
    """Return a duration in the same form, in whole seconds and without units that are zero."""
    rest, parts = round(seconds), []
    for unit, size in UNITS.items():
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"
