"""When live may not be changed, and by whom."""

from __future__ import annotations

from typing import Annotated, Final
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, StringConstraints

from curtainup.config.keys import KeyDoc, key
from curtainup.config.runtime import Settings
from curtainup.util import windows
from curtainup.util.windows import Window

MOST_FREEZES: Final = 50
_NO_ZONES: Final = frozenset({"localtime", "posixrules", "Factory"})
"""Files beside those of the time zones, of which the first leads to the machine's own zone."""


def _moment(value: str) -> str:
    windows.parse(value)
    return value


def _zone(value: str) -> str:
    """A time zone of the IANA database, of which this machine or the package `tzdata` has a copy."""
    if value in _NO_ZONES:
        raise ValueError("no time zone")
    try:
        ZoneInfo(value)
    except (OSError, LookupError, ValueError) as error:
        raise ValueError("no time zone") from error
    return value


def _once(value: tuple[Freeze, ...]) -> tuple[Freeze, ...]:
    if len({(one.from_, one.until, one.timezone) for one in value}) != len(value):
        raise ValueError("listed twice")
    return value


Moment = Annotated[str, StringConstraints(pattern=windows.SCHEMA), AfterValidator(_moment)]
TimeZone = Annotated[
    str, StringConstraints(pattern=r"^[A-Z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*\z"), AfterValidator(_zone)
]


class Freeze(Settings):
    """A time in which nobody changes live; `from` is a word of Python's."""

    from_: Moment = key(
        ...,
        "When it begins.",
        KeyDoc(
            expects=windows.EXPECTED,
            wrong="live would not be frozen then",
            example='"Fri 16:00"',
        ),
        alias="from",
    )
    until: Moment = key(
        ...,
        "When it is over. A day and time before `from` is in the week after it.",
        KeyDoc(
            expects=windows.EXPECTED,
            wrong="live would not be frozen then",
            example='"Mon 08:00"',
        ),
    )
    timezone: TimeZone = key(
        ...,
        "The time zone of both, whatever the zone of the machine is.",
        KeyDoc(
            expects="the name of a time zone that this machine knows, such as Europe/Berlin or UTC",
            wrong="nobody would know when it begins",
            example="Europe/Berlin",
        ),
    )
    reason: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = key(
        None,
        "Why live is frozen. Whoever is refused reads it.",
        KeyDoc(
            expects="a text of up to 200 characters",
            wrong="nobody would know why live is frozen",
            example="nobody is there on weekends",
        ),
    )

    @property
    def window(self) -> Window:
        """Its window of time."""
        return Window(windows.parse(self.from_), windows.parse(self.until), ZoneInfo(self.timezone))


Freezes = Annotated[tuple[Freeze, ...], Field(max_length=MOST_FREEZES), AfterValidator(_once)]


class GuardRailSettings(Settings):
    """When live may not be changed, and by whom."""

    freeze: Freezes = key(
        (),
        "Times in which `deploy` and `promote` leave live alone, unless `--during-freeze REASON` is given.",
        KeyDoc(
            expects=f"a list of at most {MOST_FREEZES} mappings with `from`, `until` and `timezone`, without "
            "duplicates",
            item="a mapping with `from`, `until` and `timezone`",
            wrong="live would not be frozen",
            example='[{from: "Fri 16:00", until: "Mon 08:00", timezone: Europe/Berlin, reason: weekend}]',
        ),
    )
    four_eyes: bool = key(
        False,
        "Whether live's traffic is given by somebody else than who has deployed the release: "
        "`deploy --hold`, and then `promote`.",
        KeyDoc(
            expects="true or false",
            wrong="one person alone could change live",
            example="true",
        ),
    )
