"""What all tests share."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

# No test fails on a time: neither on a slow example nor on slow generation.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")
