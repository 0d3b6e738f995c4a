"""The time by the clock of the Docker engine, which may be another machine's and go wrong."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from docker import APIClient


def now(api: APIClient) -> datetime:
    """Return the time, in UTC; raises the SDK's errors."""
    return datetime.fromisoformat(api.info()["SystemTime"]).astimezone(UTC)


def there(api: APIClient, moment: datetime) -> datetime:
    """Return what the engine's clock showed when this machine's showed `moment`."""
    return moment + (now(api) - datetime.now(UTC))
