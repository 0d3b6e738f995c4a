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

    with suppress(DockerException, RequestException):
        for one in client.api.containers(all=True, filters={"label": f"{SERVICE}={marks[SERVICE]}"}):
            if _is_left(one["Labels"], marks):
                client.api.remove_container(one["Id"], force=True, v=True)


def _is_left(labels: Mapping[str, str], marks: Mapping[str, str]) -> bool:
    is_a_run_s = labels.get(ENVIRONMENT) == LOCAL or labels.get(ROLE) == TESTS
    of_lock = labels.get(LOCK, marks[LOCK]) == marks[LOCK]
    return is_a_run_s and of_lock and labels.get(RUN) != marks[RUN]
