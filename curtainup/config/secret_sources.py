"""Where the values of secrets come from, if not from the deployer's environment."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from pydantic import BeforeValidator, StringConstraints

from curtainup.config.keys import KeyDoc, Text, Variable, key
from curtainup.config.reading.problems import Problem
from curtainup.config.runtime import Settings
from curtainup.config.tasks import words

GoogleSecret = Annotated[
    str,
    StringConstraints(pattern=r"^projects/[a-z0-9:.-]+/secrets/[A-Za-z0-9_-]+(/versions/[a-z0-9]+)?\z"),
]


class SecretSource(Settings):
    """One place of a value: a command that prints it, or a cloud's manager of secrets."""

    command: Annotated[
        tuple[str, ...] | None, BeforeValidator(words, json_schema_input_type=str | list[str])
    ] = key(
        None,
        "The command that prints the value.",
        KeyDoc(
            expects="a command line with closed quotes, or a list of its words",
            wrong="the secret would have no value",
            example="op read op://live/db/password",
        ),
    )
    aws: Text | None = key(
        None,
        "The name or ARN of a secret in AWS Secrets Manager, in `aws_region`.",
        KeyDoc(
            expects="the name or the ARN of a secret",
            wrong="the secret would have no value",
            example="shop/db-password",
        ),
    )
    gcp: GoogleSecret | None = key(
        None,
        "A secret in Google's Secret Manager; without a version, its latest.",
        KeyDoc(
            expects="projects/PROJECT/secrets/NAME, with /versions/VERSION after it if you wish",
            wrong="the secret would have no value",
            example="projects/my-project/secrets/db-password",
        ),
    )

    @property
    def given(self) -> tuple[str, ...]:
        """The keys that the file has."""
        return tuple(name for name in ("command", "aws", "gcp") if getattr(self, name) is not None)


class SecretSources(Settings):
    """The sources of a service's secrets."""

    secrets_from: dict[Variable, SecretSource] = key(
        {},
        "Where to get the values of `env_secrets` and of build secrets that are not set where you run "
        "curtainup: from a command, AWS Secrets Manager or Google's Secret Manager ([recipes](secrets.md)).",
        KeyDoc(
            expects="a mapping of names in `env_secrets` or `build.secrets` to sources",
            item="a mapping with `command`, `aws` or `gcp`",
            wrong="the service would start without its secret",
            example='{DB_PASSWORD: {command: "op read op://live/db/password"}}',
            shown="all of them have to be set",
        ),
    )


def mistakes(secrets_from: dict[str, SecretSource], named: set[str]) -> Iterator[Problem]:
    """Give a problem for each source that is none, or that no environment needs.

    Args:
        secrets_from: as configured.
        named: the names in all `env_secrets`, and in `build.secrets`.

    """
    for name, source in secrets_from.items():
        if len(source.given) != 1:
            yield Problem(
                path=("secrets_from", name),
                what=f"has {' and '.join(source.given) or 'no source'}",
                consequence="curtainup would not know where the secret is",
                fix="give exactly one of `command`, `aws` and `gcp`",
            )
        if name not in named:
            yield Problem(
                path=("secrets_from", name),
                what="is in no `env_secrets`, and not in `build.secrets`",
                consequence="no container and no build would get the secret",
                fix=f"add {name} to `env_secrets`, or remove it here",
            )
