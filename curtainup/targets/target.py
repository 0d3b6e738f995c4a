"""The target of one environment: what every target has. `capabilities` has what only some can do."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from curtainup.errors import RefusedError

if TYPE_CHECKING:
    from curtainup.model.contract import EnvironmentSettings
    from curtainup.model.environment import Environment
    from curtainup.model.release_settings import Settings
    from curtainup.session import Session

Own = TypeVar("Own", bound="EnvironmentSettings")
Look = Callable[[], "Environment"]
"""Returns an environment in its present state."""


class Target(ABC):
    """A target, bound to one environment."""

    def __init__(self, session: Session, name: str, look: Look) -> None:
        """Bind the target to an environment.

        Args:
            session: the session of its service.
            name: the name of the environment.
            look: returns the environment in its present state.

        """
        self._session = session
        self._look = look
        self.name = name
        self.config = session.service.config.for_environment(name)

    @property
    def environment(self) -> Environment:
        """The environment in its present state."""
        return self._look()

    def known(self, kind: type[Own]) -> Own | None:
        """Return the environment's settings; None if it has none yet, or is still on another target."""
        settings = self.environment.settings
        return settings if isinstance(settings, kind) else None

    def own(self, kind: type[Own]) -> Own:
        """Return the settings of an environment that has some on this target."""
        known = self.known(kind)
        if known is None:
            raise TypeError(f"{self.name} has no {kind.__name__}")
        return known

    @abstractmethod
    def runtime(self) -> Settings:
        """Return the settings of a new release, without PYM_ENV."""

    @abstractmethod
    def settings(self) -> EnvironmentSettings:
        """Return the environment's settings: remembered where the target chose them once, else as configured.

        Raises:
            CurtainupError: something in the configuration is not available.

        """


def displaced(name: str, place: str, wanted: str, key: str) -> RefusedError:
    """Return the error for a changed key that would recreate the environment in another place.

    Args:
        name: the name of the environment.
        place: where it is, such as `in region eu-west-1`.
        wanted: the new value of the key.
        key: the key in pym-config.yaml.

    """
    return RefusedError(
        f"{name} is {place}, and is now configured for {wanted}",
        where=f"{key} in pym-config.yaml",
        consequence="what serves there would be deleted unproven, so nothing was done",
        fix=f"put the old value back, or first run: curtainup destroy --env {name}",
    )
