"""What all tests of images share: git repositories."""

from __future__ import annotations

from tests.images.repositories import identity, repository

__all__ = ["identity", "repository"]
