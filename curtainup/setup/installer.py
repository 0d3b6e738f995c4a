"""Runs Pulumi's official installer as a process: `python -m curtainup.setup.installer ROOT VERSION`.

The SDK's `PulumiCommand.install` fetches and runs a script, without a time limit for the connection. Here the
connection must answer within seconds, and the caller can end the whole process.
"""

from __future__ import annotations

import socket
import sys

from pulumi.automation import PulumiCommand
from semver import VersionInfo

CONNECT_LIMIT = 5.0
"""Seconds without an answer after which the installer counts as not reached."""


def main(root: str, version: str) -> None:
    """Install the engine of that version as `ROOT/bin/pulumi`."""
    socket.setdefaulttimeout(CONNECT_LIMIT)
    PulumiCommand.install(root=root, version=VersionInfo.parse(version))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
