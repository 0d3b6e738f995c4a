"""What a service needs beside its releases and curtainup makes once: a database, a cache."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints

from curtainup.config.keys import KeyDoc, Memory, Seconds, Text, Variable, Variables, VariableValue, key
from curtainup.config.runtime import Settings
from curtainup.config.service import ImageReference
from curtainup.config.tasks import words

MOST_ACCESSORIES = 10
STOP_SECONDS = 60


def _path(value: str) -> str:
    path = PurePosixPath(value)
    if not path.is_absolute() or len(path.parts) < 2 or ".." in path.parts or ":" in value:
        raise ValueError("not an absolute path")
    return str(path)


AccessoryName = Annotated[str, StringConstraints(pattern=r"^[a-z]([a-z0-9-]*[a-z0-9])?\z", max_length=20)]
ContainerPath = Annotated[str, AfterValidator(_path)]


class Accessory(Settings):
    """One accessory: a container of its own, whose data outlives releases."""

    image: ImageReference = key(
        ...,
        "The image. With a digest, every environment gets the same.",
        KeyDoc(
            expects="an image reference",
            wrong="the accessory could not be made",
            example="postgres:16@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
        ),
    )
    volume: ContainerPath | None = key(
        None,
        "The path in its container that is kept on a volume of its own.",
        KeyDoc(
            expects="an absolute path",
            wrong="the data would be lost with the container",
            example="/var/lib/postgresql/data",
            shown="nothing is kept",
        ),
    )
    command: Annotated[
        tuple[str, ...] | None, BeforeValidator(words, json_schema_input_type=str | list[str])
    ] = key(
        None,
        "The command, in place of the image's own.",
        KeyDoc(
            expects="a command line with closed quotes, or a list of its words",
            wrong="the accessory would not start",
            example="postgres -c max_connections=200",
            shown="the image's own",
        ),
    )
    env: dict[Variable, VariableValue] = key(
        {},
        "Plain variables for its container.",
        KeyDoc(
            expects="a mapping of variable names to quoted text",
            item="text",
            wrong="the accessory would get a different text from the one written here",
            example='{POSTGRES_DB: "app"}',
            private=True,
        ),
    )
    env_secrets: Variables = key(
        (),
        "Names of environment variables that its container gets as secrets. The service gets only those that "
        "its own `env_secrets` lists.",
        KeyDoc(
            expects="a list of variable names without duplicates",
            item="the name of a variable",
            wrong="the accessory would start without its secret",
            example="[POSTGRES_PASSWORD]",
            private=True,
        ),
    )
    health: Text | None = key(
        None,
        "A command for `/bin/sh` in its container that ends with exit code 0 as soon as it can be used.",
        KeyDoc(
            expects="a command for /bin/sh",
            wrong="releases could start before the accessory can be used",
            example="pg_isready -U postgres",
            shown="it counts as well while its container runs",
        ),
    )
    backup: Text | None = key(
        None,
        "A command for `/bin/sh` in its container that writes a backup to its standard output: for "
        "`curtainup accessory backup`.",
        KeyDoc(
            expects="a command for /bin/sh",
            wrong="there would be no backup",
            example="pg_dump -U postgres app",
        ),
    )
    memory_limit: Memory | None = key(
        None,
        "The maximum memory of its container.",
        KeyDoc(
            expects="a memory size from 16m to 1024G",
            wrong="the container would have no limit, or too little memory to start",
            example="1G",
            shown="no limit",
        ),
        ge=16,
        le=1024 * 1024,
    )
    start_timeout: Seconds = key(
        60,
        "How many seconds it may take until `health` succeeds.",
        KeyDoc(
            expects="a whole number of seconds from 1 to 3600",
            wrong="curtainup would give up on an accessory that starts, or wait for one that never does",
            example="120",
        ),
    )


Accessories = Annotated[dict[AccessoryName, Accessory], Field(max_length=MOST_ACCESSORIES)]


class AccessoryKeys(Settings):
    """What a service needs beside its releases."""

    accessories: Accessories = key(
        {},
        "What curtainup makes once beside the releases, such as a database, and no deployment touches: "
        "[accessories](accessories.md). A section's mapping replaces the one at the top level.",
        KeyDoc(
            expects=f"a mapping of up to {MOST_ACCESSORIES} names to accessories",
            item="a mapping with `image`, and optionally `volume`, `env_secrets`, `health` and others",
            wrong="releases would not find what they need",
            example='{cache: {image: "redis:7"}}',
            targets=("docker",),
        ),
    )
