"""The `docker` command of a stand-in machine; it supports only what scripts on a Beanstalk machine need.

`python -m curtainup.rehearsal.aws.machine_docker CONTAINER ARGUMENTS…`: the machine runs that one container.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import docker

USAGE = 125
"""The exit code of `docker` for wrong arguments."""


def main(container: str, arguments: Sequence[str]) -> int:
    """Run `docker ps --quiet` or `docker exec CONTAINER COMMAND…`; return the exit code."""
    import docker

    client = docker.from_env()
    try:
        if list(arguments) == ["ps", "--quiet"]:
            print(client.containers.get(container).short_id)
            return 0
        if len(arguments) > 2 and arguments[0] == "exec" and not arguments[1].startswith("-"):
            return _run(client.api, arguments[1], arguments[2:])
    finally:
        client.close()
    print(f"docker: not in a rehearsal: {' '.join(arguments)}", file=sys.stderr)
    return USAGE


def _run(api: docker.APIClient, container: str, command: Sequence[str]) -> int:
    made = api.exec_create(container, list(command))
    for chunk in api.exec_start(made["Id"], stream=True):
        sys.stdout.buffer.write(chunk)
        sys.stdout.buffer.flush()
    return int(api.exec_inspect(made["Id"])["ExitCode"])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
