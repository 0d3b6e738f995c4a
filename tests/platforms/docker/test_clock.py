"""The clock of an engine on another machine."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from curtainup.platforms.docker import clock


def engine(ahead: timedelta) -> Any:
    """An engine whose clock is wrong, and in another time zone."""

    def info() -> dict[str, str]:
        shown = datetime.now(UTC) + ahead + timedelta(hours=2)
        return {"SystemTime": shown.strftime("%Y-%m-%dT%H:%M:%S.%f123+02:00")}

    return SimpleNamespace(info=info)


@pytest.mark.parametrize("ahead", [timedelta(), timedelta(hours=1), timedelta(hours=-1)])
def test_a_moment_is_what_the_engine_s_clock_showed_then(ahead: timedelta) -> None:
    moment = datetime.now(UTC) - timedelta(minutes=10)

    found = clock.there(engine(ahead), moment)

    assert abs(found - (moment + ahead)) < timedelta(minutes=1)
    assert abs(clock.now(engine(ahead)) - datetime.now(UTC) - ahead) < timedelta(minutes=1)
