"""The deployer of these tests has no cloud account."""

from __future__ import annotations

from tests.accounts.fixtures import nobody

__all__ = ["nobody"]
