"""Where the Pulumi engine is.

This is on the way to every deployment: it starts no process and imports nothing heavy.
"""

from __future__ import annotations

from curtainup.errors import SetupError
from curtainup.setup.engine_record import InstalledEngine, recorded

FIX = "curtainup doctor --fix"


def locate() -> InstalledEngine:
    """Return the engine that set-up found last, as long as it is the very same file.

    When it is not (an upgrade, a first run with `pulumi` on PATH), looks once more and keeps the answer.

    Raises:
        SetupError: there is no engine that is new enough.

    """
    engine = recorded()
    if engine is None:
        from curtainup.setup import pulumi

        engine = pulumi.find()
    if engine is None:
        raise SetupError("the Pulumi engine is missing", consequence="nothing was started", fix=FIX)
    return engine
