"""The smoke suite is tested as it runs: by a gate."""

from __future__ import annotations

from tests.gates.conftest import gate, healthy, make_service

__all__ = ["gate", "healthy", "make_service"]
