"""The stack of a host's door, which several services share."""

from __future__ import annotations

import pulumi

from components.door import Door
from curtainup.model.door import DoorSettings
from curtainup.platforms.caddy.config import NAME


def render(config: pulumi.Config) -> None:
    """Declare the door, and export its address."""
    door = Door(NAME, DoorSettings.model_validate(config.require_object("door")))
    pulumi.export("address", door.address)
