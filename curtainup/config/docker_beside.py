"""What a release on a Docker host reaches beside its environment."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, StringConstraints

from curtainup.config.keys import KeyDoc, key
from curtainup.config.runtime import Settings
from curtainup.util.docker_mounts import mount_of

_ONLY = ("docker",)


def _mounted(value: str) -> str:
    mount_of(value)
    return value


def _targets_once(value: tuple[str, ...]) -> tuple[str, ...]:
    targets = [mount_of(one).target for one in value]
    if len(set(targets)) != len(targets):
        raise ValueError("two have the same path in the container")
    return value


def _networks(value: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(value)) != len(value) or {"bridge", "host", "none"} & set(value):
        raise ValueError("listed twice, or one of Docker's own")
    return value


Networks = Annotated[
    tuple[Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*\z", max_length=128)], ...],
    AfterValidator(_networks),
]
Volumes = Annotated[
    tuple[Annotated[str, StringConstraints(min_length=1), AfterValidator(_mounted)], ...],
    AfterValidator(_targets_once),
]


class DockerBeside(Settings):
    """What a release on a Docker host reaches beside its environment."""

    networks: Networks = key(
        (),
        "Networks of the Docker host that the containers join besides the environment's own. You make them: "
        "`docker network create NAME`. See [beside a release](beside.md).",
        KeyDoc(
            expects="a list of names of networks without duplicates, and without Docker's own (bridge, host, "
            "none)",
            item="the name of a network",
            wrong="the service would not find what is on the network",
            example="[shared]",
            targets=_ONLY,
        ),
    )
    volumes: Volumes = key(
        (),
        "Volumes and folders of the Docker host that the containers mount, with `:ro` at the end to read "
        "only. You make the volumes: `docker volume create NAME`. A review environment gets those of its own "
        "section only. See [beside a release](beside.md#volumes).",
        KeyDoc(
            expects="a list of VOLUME:/PATH or /FOLDER:/PATH, with or without :ro, each with another path in "
            "the container",
            item="VOLUME:/PATH, or /FOLDER:/PATH, with or without :ro",
            wrong="the service would not find its files, or lose them with its container",
            example='["uploads:/data"]',
            targets=_ONLY,
        ),
    )
    host_gateway: bool = key(
        False,
        "Whether the containers reach the Docker host itself as `host.docker.internal`.",
        KeyDoc(
            expects="true or false",
            wrong="the service would not find what runs on the host outside Docker",
            example="true",
            targets=_ONLY,
        ),
    )
