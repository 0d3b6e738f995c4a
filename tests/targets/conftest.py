"""The deployer of these tests has no cloud account, or one that is played on loopback."""

from __future__ import annotations

from tests.accounts.fixtures import amazon, google, nobody, project

__all__ = ["amazon", "google", "nobody", "project"]
