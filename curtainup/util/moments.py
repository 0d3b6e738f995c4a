"""Points in time that others have written, in whatever year."""

from __future__ import annotations

from datetime import UTC, datetime

FIRST = datetime(1, 1, 1, tzinfo=UTC)
LAST = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)


def utc(seconds: float) -> datetime:
    """Return seconds since the epoch as a time in UTC, or the nearest time that Python knows."""
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return FIRST if seconds < 0 else LAST
