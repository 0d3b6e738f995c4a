"""The actions of others that a workflow of GitHub runs, each pinned to a commit.

A tag can be moved to other code, a commit cannot. Each commit is the one that the tag of the newest release
named in the action's own repository in August 2026. Dependabot reads the version in the comment, and raises
both together.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Action:
    """An action at one commit.

    Attributes:
        repository: `OWNER/NAME`.
        commit: 40 hexadecimal digits.
        version: the release whose tag names the commit.

    """

    repository: str
    commit: str
    version: str

    def __str__(self) -> str:
        """Return what stands after `uses:`."""
        return f"{self.repository}@{self.commit} # {self.version}"


PINNED = {
    "checkout": Action("actions/checkout", "3d3c42e5aac5ba805825da76410c181273ba90b1", "v7.0.1"),
    "setup_python": Action("actions/setup-python", "5fda3b95a4ea91299a34e894583c3862153e4b97", "v7.0.0"),
    "cache": Action("actions/cache", "27d5ce7f107fe9357f9df03efb73ab90386fccae", "v5.0.5"),
    "login_gcp": Action("google-github-actions/auth", "7c6bc770dae815cd3e89ee6cdf493a5fab2cc093", "v3.0.0"),
    "login_aws": Action(
        "aws-actions/configure-aws-credentials", "e6de054238d6b7531b4efff3b6587d9aade6a06c", "v6.2.3"
    ),
    "login_azure": Action("azure/login", "f5d393ae46f8fde4be8b75f32e3fc50e654ad0ca", "v3.0.1"),
}
"""By the name that the templates use."""


def uses() -> dict[str, str]:
    """Return what the templates write after `uses:`, by `action_NAME`."""
    return {f"action_{name}": str(one) for name, one in PINNED.items()}
