"""The name of the deployer, which each update keeps for `status` and `history`."""

from __future__ import annotations

import getpass
import os
import socket
from collections.abc import Mapping

from curtainup.util.plain import one_line

KEY = "by"
"""The key in the stack's configuration."""
HOSTS = {
    "GITHUB_ACTIONS": ("GITHUB_ACTOR", "GitHub Actions"),
    "GITLAB_CI": ("GITLAB_USER_LOGIN", "GitLab CI"),
    "BITBUCKET_BUILD_NUMBER": ("", "Bitbucket Pipelines"),
}
"""For each variable that marks a CI job: the variable with its user, if any, and the name of the CI."""


def name(environ: Mapping[str, str]) -> str:
    """Return a name such as `ann@laptop`, or in a CI job, from the job's variables, `ann, GitHub Actions`."""
    for mark, (actor, host) in HOSTS.items():
        if environ.get(mark):
            return one_line(", ".join(part for part in (environ.get(actor), host) if part))
    return one_line(f"{user()}@{socket.gethostname()}")


def person(named: str) -> str:
    """Return what tells one person from another in a name that `name` has given, whatever machine it was on.

    A CI system that does not name people is a person itself.
    """
    somebody, comma, host = named.rpartition(", ")
    if comma and host in {host for _, host in HOSTS.values()}:
        return somebody.casefold()
    return (named.rpartition("@")[0] or named).casefold()


def user() -> str:
    """Return the user's name; a container's user may have none."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())
