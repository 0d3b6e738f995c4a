"""Runs shell scripts in HAProxy's container, which control HAProxy through its socket."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from curtainup.errors import EngineFailed

if TYPE_CHECKING:
    from docker import APIClient

PATIENCE, PAUSE = 10.0, 0.2
"""Seconds within which a script must end, and seconds between two tries."""
END = "== end\n"
"""The last line that every script prints."""


def run(api: APIClient, container: str, script: str, variables: Mapping[str, str]) -> str:
    """Run a script and return its output before its last line.

    Run it again if the last line is missing: Docker cannot run anything at the very moment of a container's
    start, and now and then loses output (docker-py issue 2042). So a script must allow to be run twice.

    Args:
        api: a client of the Docker engine.
        container: HAProxy's container.
        script: a script for `sh`.
        variables: the environment variables of the script.

    Raises:
        EngineFailed: the script did not end within `PATIENCE`.
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
                "cannot control HAProxy",
                where=f"container {container}",
                fix=f"read its log, and restart it: docker restart {container}",
                detail=output.strip() or nothing,
            )
        time.sleep(PAUSE)
