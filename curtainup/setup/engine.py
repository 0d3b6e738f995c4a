"""Finds the Pulumi engine.

Every deployment imports this module, so it starts no process and imports nothing heavy.
"""

from __future__ import annotations

from curtainup.errors import SetupError
from curtainup.setup.engine_record import InstalledEngine, recorded

FIX = "curtainup doctor --fix"


def locate() -> InstalledEngine:
    """Return the engine that set-up found last, if it is still the same file.

    Otherwise, as after an upgrade or on a first run, look for an engine again and record it.

    Raises:
        SetupError: no engine is new enough.

    """
    engine = recorded()
    if engine is None:
        from curtainup.setup import pulumi

        engine = pulumi.find()
    if engine is None:
        raise SetupError("the Pulumi engine is missing", consequence="nothing was started", fix=FIX)
    return engine
