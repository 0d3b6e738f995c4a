"""Shell scripts run beside HAProxy in its container, which drive it by its socket."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from curtainup.errors import EngineFailed

if TYPE_CHECKING:
    from docker import APIClient

PATIENCE, PAUSE = 10.0, 0.2
"""Seconds in which a script must have been seen to end, and between two tries."""
END = "== end\n"
"""The last that every script prints."""


def run(api: APIClient, container: str, script: str, variables: Mapping[str, str]) -> str:
    """Run a script and return what it printed before its end.

    Where no end is seen it is run again, so it must be one that may be run twice: Docker cannot run anything
    at the very moment of a container's start, and now and then loses what was printed (docker-py issue 2042).

    Args:
        api: the engine.
        container: HAProxy's.
        script: for `sh`.
        variables: of its environment.

    Raises:
        EngineFailed: it did not end within `PATIENCE`.
        docker.errors.APIError: the container is gone, or does not run.

    """
    deadline = time.monotonic() + PATIENCE
    while True:
        job = api.exec_create(container, ["sh", "-c", script], environment=dict(variables))["Id"]
        output, ended, _ = str(api.exec_start(job).decode(errors="replace")).partition(END)
        if ended:
            return output
        if time.monotonic() > deadline:
            nothing = f"nothing was printed, exit code {api.exec_inspect(job)['ExitCode']}"
            raise EngineFailed(
                "HAProxy could not be driven",
                where=f"container {container}",
                fix=f"look at its log, and restart it: docker restart {container}",
                detail=output.strip() or nothing,
            )
        time.sleep(PAUSE)
