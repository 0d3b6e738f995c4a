"""The schedules of a release: commands that run in its image at times of their own while it works."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints

from curtainup.config.keys import KeyDoc, key, seconds
from curtainup.config.processes import Command, ProcessName
from curtainup.config.runtime import Settings
from curtainup.util import cron, zones

RUN_SCHEDULES: Final = ("docker",)
"""The targets that run schedules."""
MOST_SCHEDULES: Final = 20
LONGEST_RUN, LONGEST_END = 86400, 3600
"""Seconds: a day, and an hour."""
_EXAMPLE: Final = '{command: python -m app.cleanup, cron: "0 3 * * *"}'


def _zone(value: str) -> str:
    zones.data(value)
    return value


CronLine = Annotated[str, StringConstraints(max_length=200), AfterValidator(cron.normal)]
Zone = Annotated[str, AfterValidator(_zone)]
Span = Annotated[int, BeforeValidator(seconds, json_schema_input_type=str | int), Field(ge=1, le=LONGEST_RUN)]


class ScheduleSettings(Settings):
    """One schedule; `command` holds the words of the command line, and times are seconds."""

    command: Command = key(
        ...,
        "The command line. It takes the place of the image's CMD, and no shell reads it.",
        KeyDoc(
            expects="a command line with closed quotes, or a list of its words",
            wrong="nothing would run, or not what you meant",
            example="python -m app.cleanup",
        ),
    )
    cron: CronLine = key(
        ...,
        "When it runs: minute, hour, day of the month, month, day of the week. On `docker` a sixth field in "
        "front may hold the second.",
        KeyDoc(
            expects="a cron line of five fields that comes due some day (minute, hour, day of the month, "
            "month, day of the week)",
            wrong="it would never run, or not when you meant",
            example='"0 3 * * *"',
        ),
    )
    timezone: Zone = key(
        "UTC",
        "The time zone of `cron`.",
        KeyDoc(
            expects="the name of a time zone, such as Europe/Stockholm or UTC",
            wrong="it would run at another time than you meant",
            example="Europe/Stockholm",
        ),
    )
    time_limit: Span = key(
        600,
        "How long a run may take. Then it is ended, and counts as failed.",
        KeyDoc(
            expects="a time from 1s to 24h, such as 90s or 10m, or a number of seconds",
            wrong="a run that hangs would keep all later ones from their work, or one could not end its own",
            example="30m",
            shown="10m",
        ),
    )
    overlap: Literal["forbid", "allow"] = key(
        "forbid",
        "Whether a run may start while the one before still runs. `forbid` skips it.",
        KeyDoc(
            expects="forbid or allow",
            wrong="two runs could do the same work at once, or one could be left out",
            example="allow",
        ),
    )
    start_within: Span = key(
        300,
        "How late a run may start that could not start when it was due. Later it counts as missed. Of "
        "several that are late, the newest runs.",
        KeyDoc(
            expects="a time from 1s to 24h, such as 90s or 10m, or a number of seconds",
            wrong="a run could start when nobody wants it any more, or be left out for a short trouble",
            example="1h",
            shown="5m",
        ),
    )
    stop_timeout: Annotated[Span, Field(le=LONGEST_END)] | None = key(
        None,
        "How long a run may go on once another release works, on `docker`. The deployment waits for it.",
        KeyDoc(
            expects="a time from 1s to 1h, such as 90s or 10m, or a number of seconds",
            wrong="a run could be cut off, or a deployment could wait for longer than you meant",
            example="2m",
            shown="the service's `stop_timeout`",
        ),
    )


class ScheduleKeys(Settings):
    """What runs at times of its own, from the same image."""

    schedule: Annotated[dict[ProcessName, ScheduleSettings], Field(max_length=MOST_SCHEDULES)] = key(
        {},
        "Commands that run at times of their own, such as a cleanup at night: [schedules](schedules.md). "
        "A section's mapping replaces the one at the top level.",
        KeyDoc(
            expects=f"a mapping of at most {MOST_SCHEDULES} names to schedules",
            item="a mapping with `command` and `cron`",
            wrong="nobody would do their work",
            example=f"{{cleanup: {_EXAMPLE}}}",
            targets=RUN_SCHEDULES,
        ),
    )
