"""Containers that a run makes beside Pulumi, and that it could not remove as it was killed."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

from curtainup.platforms.docker.labels import ENVIRONMENT, LOCAL, LOCK, ROLE, RUN, SERVICE, TESTS

if TYPE_CHECKING:
    import docker


def end(client: docker.DockerClient, marks: Mapping[str, str]) -> None:
    """Remove the local containers, and those of tests, that earlier runs under the same lock have left.

    A rehearsal and a deployment of one service may run side by side, and have locks of their own.

    Args:
        client: the Docker engine.
        marks: the labels of this run, which holds the lock; see `Session.marks`.

    """
    from docker.errors import DockerException
    from requests import RequestException

    service = f"{SERVICE}={marks[SERVICE]}"
    with suppress(DockerException, RequestException):
        for kind in (f"{ENVIRONMENT}={LOCAL}", f"{ROLE}={TESTS}"):
            for one in client.api.containers(all=True, filters={"label": [service, kind]}):
                of_lock = one["Labels"].get(LOCK, marks[LOCK]) == marks[LOCK]
                if of_lock and one["Labels"].get(RUN) != marks[RUN]:
                    client.api.remove_container(one["Id"], force=True, v=True)
