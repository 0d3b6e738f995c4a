"""The processes of a release: commands that run beside the service for as long as the release works."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import BeforeValidator, Field, StringConstraints

from curtainup.config.keys import KeyDoc, Memory, Seconds, key, seconds
from curtainup.config.runtime import Settings
from curtainup.config.tasks import words

RUN_PROCESSES: Final = ("docker", "kubernetes", "gke")
"""The targets that run processes."""
MOST_PROCESSES, MOST_COPIES = 20, 50
LONGEST_SETTLE = 3600
"""Seconds: an hour."""
_EXAMPLE = "celery -A app worker"

ProcessName = Annotated[str, StringConstraints(pattern=r"^[a-z]([a-z0-9-]*[a-z0-9])?\z", max_length=20)]
Command = Annotated[tuple[str, ...], BeforeValidator(words, json_schema_input_type=str | list[str])]


def _whole(value: object) -> object:
    """Write out what is short: a text or a list is a process's command."""
    return {"command": value} if isinstance(value, str | list | tuple) else value


class ProcessSettings(Settings):
    """One process; `command` holds the words of the command line."""

    command: Command = key(
        ...,
        "The command line. It takes the place of the image's CMD, and no shell reads it.",
        KeyDoc(
            expects="a command line with closed quotes, or a list of its words",
            wrong="nothing would run, or not what you meant",
            example=_EXAMPLE,
        ),
    )
    count: Annotated[int, Field(ge=1, le=MOST_COPIES)] = key(
        1,
        "How many of it run.",
        KeyDoc(
            expects=f"a whole number from 1 to {MOST_COPIES}",
            wrong="nobody would do the process's work (to stop it, remove the process)",
            example="2",
        ),
    )
    memory_limit: Annotated[Memory, Field(ge=16, le=1024 * 1024)] | None = key(
        None,
        "The maximum memory of each.",
        KeyDoc(
            expects="a memory size from 16m to 1024G",
            wrong="the process would have no limit, or too little memory to start",
            example="256m",
            shown="the service's `memory_limit`",
        ),
    )
    cpus: Annotated[float, Field(gt=0, le=1024, allow_inf_nan=False)] | None = key(
        None,
        "The maximum number of processors for each.",
        KeyDoc(
            expects="a number above 0 and up to 1024",
            wrong="the process would get more or fewer processors than you meant",
            example="0.5",
            shown="the service's `cpus`",
        ),
    )
    settle: Annotated[
        int, BeforeValidator(seconds, json_schema_input_type=str | int), Field(ge=0, le=LONGEST_SETTLE)
    ] = key(
        2,
        "How long a new process has to run without an end until it counts as healthy.",
        KeyDoc(
            expects="a time up to 1h, such as 10s or 1m, or a number of seconds",
            wrong="a release would be proven whose process ends",
            example="10s",
            shown="2s",
        ),
    )
    health: Command | None = key(
        None,
        "A command that curtainup runs in the process's container, again and again for up to "
        "`start_timeout`. Once it exits with 0 the process counts as healthy, whatever `settle` says.",
        KeyDoc(
            expects="a command line with closed quotes, or a list of its words",
            wrong="nobody would know whether the process works",
            example="celery -A app inspect ping",
            shown="the process is healthy once it has run for `settle`",
        ),
    )
    stop_timeout: Seconds | None = key(
        None,
        "How many seconds it gets between SIGTERM and SIGKILL.",
        KeyDoc(
            expects="a whole number of seconds from 1 to 3600",
            wrong="a job could be cut off",
            example="120",
            shown="the service's `stop_timeout`",
        ),
    )
    overlap: bool = key(
        False,
        "Whether it may start before the one of the outgoing release has ended.",
        KeyDoc(
            expects="true or false",
            wrong="two schedulers could do the same work at once, or nobody would work for a moment",
            example="true",
        ),
    )


Processes = Annotated[
    dict[
        ProcessName,
        Annotated[
            ProcessSettings,
            BeforeValidator(_whole, json_schema_input_type=str | list[str] | ProcessSettings),
        ],
    ],
    Field(max_length=MOST_PROCESSES),
]


class ProcessKeys(Settings):
    """What runs beside the service, from the same image."""

    processes: Processes = key(
        {},
        "Commands that run beside the service, such as workers and schedulers: [processes](processes.md). "
        "A section's mapping replaces the one at the top level.",
        KeyDoc(
            expects=f"a mapping of at most {MOST_PROCESSES} names to commands",
            item="a command line, or a mapping with `command` and further keys",
            wrong="nobody would do their work",
            example=f"{{worker: {_EXAMPLE}}}",
            targets=RUN_PROCESSES,
        ),
    )
