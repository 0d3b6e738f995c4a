"""The names of stacks and environments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from curtainup.model import accessories


@dataclass(frozen=True)
class Names:
    """The names of a service's stacks."""

    service: str

    @property
    def image(self) -> str:
        """The stack of the image and its registry."""
        return f"{self.service}-image"

    def environment(self, name: str) -> str:
        """The stack of an environment."""
        return f"{self.service}-{name}"

    def accessories(self, name: str) -> str:
        """The stack of what is beside an environment's releases."""
        return accessories.network(self.service, name)


STAGING: Final = "staging"
LIVE: Final = "live"
