"""How long Docker's provider waits for a container to end."""

from __future__ import annotations

from typing import Final

import pulumi

LONG: Final = 900
"""Seconds of `stop_timeout` that the provider's own bound of 20 minutes for each deletion has room for."""
_SPARE: Final = 120
"""Seconds beyond `stop_timeout` in which the engine kills and removes a container."""


def patience(stop_timeout: int) -> pulumi.CustomTimeouts | None:
    """Return a bound of its own for a container that may take longer to end than the provider waits.

    All others keep the provider's, so that nothing changes in their state. The engine takes the bound of what
    it deletes from the state.
    """
    if stop_timeout <= LONG:
        return None
    return pulumi.CustomTimeouts(delete=f"{stop_timeout + _SPARE}s")
