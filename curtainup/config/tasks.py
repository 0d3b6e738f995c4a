"""The tasks of a release: commands that run in its image before it gets traffic."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterator
from typing import Annotated

from pydantic import BeforeValidator, Field, StringConstraints

from curtainup.config.keys import KeyDoc, key, seconds
from curtainup.config.reading.problems import KeyPath, Problem
from curtainup.config.runtime import Settings

MOST_TASKS = 20
LONGEST_TASK = 86400
"""Seconds: a day."""
_EXAMPLE = "python manage.py migrate"


def words(value: object) -> tuple[str, ...]:
    """Split a command line as a shell does, though none runs it; a list is its words already."""
    given = shlex.split(value) if isinstance(value, str) else value
    found = tuple(given) if isinstance(given, list | tuple) else ()
    if not found or not found[0] or not all(isinstance(one, str) and "\0" not in one for one in found):
        raise ValueError("no command line")
    return found


def _named(value: object) -> object:
    """Write out what is short: a text is a task's command, and a task without a name has its number."""
    if not isinstance(value, list | tuple):
        return value
    return tuple(_whole(one, f"task-{number}") for number, one in enumerate(value, 1))


def _whole(value: object, name: str) -> object:
    if isinstance(value, str):
        return {"name": name, "command": value}
    return {"name": name, **value} if isinstance(value, dict) else value


TaskName = Annotated[str, StringConstraints(pattern=r"^[a-z]([a-z0-9-]*[a-z0-9])?\z", max_length=30)]


class Task(Settings):
    """One task; `command` holds the words of the command line, and `timeout` seconds."""

    name: TaskName = key(
        "task",
        "The task's name in progress lines, records and logs.",
        KeyDoc(
            expects="a name of up to 30 lower-case letters, digits and hyphens that starts with a letter",
            wrong="its log could not be named after it",
            example="migrate",
            shown="`task-1` for the first, and so on",
        ),
    )
    command: Annotated[tuple[str, ...], BeforeValidator(words, json_schema_input_type=str | list[str])] = key(
        ...,
        "The command line.",
        KeyDoc(
            expects="a command line with closed quotes, or a list of its words",
            wrong="nothing would run, or not what you meant",
            example=_EXAMPLE,
        ),
    )
    timeout: Annotated[
        int, BeforeValidator(seconds, json_schema_input_type=str | int), Field(ge=1, le=LONGEST_TASK)
    ] = key(
        600,
        "How long the task may take.",
        KeyDoc(
            expects="a time from 1s to 1d, such as 90s, 10m or 1h30m, or a number of seconds",
            wrong="the task would be stopped too early, or never if it is stuck",
            example="10m",
            shown="10m",
        ),
    )


Tasks = Annotated[
    tuple[Task, ...],
    BeforeValidator(_named, json_schema_input_type=list[str | Task]),
    Field(max_length=MOST_TASKS),
]


class TaskSettings(Settings):
    """What is run in a release's image before the release gets traffic."""

    tasks: Tasks = key(
        (),
        "Commands that run one after the other in the new image, before the new release gets traffic: "
        "[tasks](tasks.md). A section's list replaces the one at the top level.",
        KeyDoc(
            expects=f"a list of at most {MOST_TASKS} commands",
            item="a command line, or a mapping with `command` and optionally `name` and `timeout`",
            wrong="the release would get traffic before its tasks have run",
            example=f"[{_EXAMPLE}]",
            targets=("docker", "gcp-cloud-run", "aws-beanstalk", "kubernetes", "gke"),
        ),
    )


def repeated(path: KeyPath, tasks: tuple[Task, ...]) -> Iterator[Problem]:
    """Give a problem for each task whose name another one before it has.

    Args:
        path: of the list.
        tasks: in their order.

    """
    seen: Counter[str] = Counter()
    for at, task in enumerate(tasks):
        seen[task.name] += 1
        if seen[task.name] == 2:
            yield Problem(
                path=(*path, at),
                what=f"is the second task called {task.name}",
                consequence="nobody could tell the two apart, and they would share a log",
                fix="give each task its own `name:`; a task without one is called by its number, as task-2",
            )
