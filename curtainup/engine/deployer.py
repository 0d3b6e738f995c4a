"""Who deploys, as it is written beside each update for `status` and `history`."""

from __future__ import annotations

import getpass
import os
import socket
from collections.abc import Mapping

KEY = "by"
"""Of the stack's configuration."""
HOSTS = {
    "GITHUB_ACTIONS": ("GITHUB_ACTOR", "GitHub Actions"),
    "GITLAB_CI": ("GITLAB_USER_LOGIN", "GitLab CI"),
    "BITBUCKET_BUILD_NUMBER": ("", "Bitbucket Pipelines"),
}
"""By the variable that a CI job is known by: the variable with who started it, if any, and its name."""


def name(environ: Mapping[str, str]) -> str:
    """Return `ann@laptop`, or in a CI job `ann, GitHub Actions`, as the job's own variables say."""
    for mark, (actor, host) in HOSTS.items():
        if environ.get(mark):
            return ", ".join(part for part in (environ.get(actor), host) if part)
    return f"{_user()}@{socket.gethostname()}"


def _user() -> str:
    """Return the user's name; a container's user may have none."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())
