"""Targets that answer users with a page of maintenance; see `capabilities`, of which this is one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from curtainup.model.contract import EnvironmentSettings
    from curtainup.model.maintenance import Maintenance


@runtime_checkable
class Maintains(Protocol):
    """The target answers users in place of the releases, and whoever judges a release still reaches it."""

    def maintenance(self) -> Maintenance | None:
        """Return the maintenance that is on; None if users reach the releases."""

    def way_past(self) -> str | None:
        """Return the URL by which the releases are reached although maintenance is on; None if it is off."""

    def maintained(self, wanted: Maintenance | None) -> EnvironmentSettings:
        """Return the environment's settings with maintenance on, or off.

        Raises:
            CurtainupError: it cannot be switched on there, or the page is too large.

        """

    def has_drifted(self) -> bool:
        """Return whether users get something else than Pulumi remembers."""
