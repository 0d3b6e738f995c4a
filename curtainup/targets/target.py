"""An environment on its target, bound once: what every target has, and nothing that only some have."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, TypeVar

from curtainup.errors import RefusedError

if TYPE_CHECKING:
    from curtainup.model.contract import EnvironmentSettings
    from curtainup.model.environment import Environment
    from curtainup.model.release_settings import Settings
    from curtainup.session import Session
    from curtainup.targets.spec import Look

Own = TypeVar("Own", bound="EnvironmentSettings")


class Target(ABC):
    """One environment's place; whatever else it can is in its class line, from `capabilities`."""

    def __init__(self, session: Session, name: str, look: Look) -> None:
        """Bind an environment.

        Args:
            session: of its service.
            name: the environment's.
            look: gives it as it is at that moment.

        """
        self._session = session
        self._look = look
        self.name = name
        self.config = session.service.config.for_environment(name)

    @property
    def environment(self) -> Environment:
        """The environment as it is now."""
        return self._look()

    def known(self, kind: type[Own]) -> Own | None:
        """Return the environment's settings; None before it has any, or while it is on another target."""
        settings = self.environment.settings
        return settings if isinstance(settings, kind) else None

    def own(self, kind: type[Own]) -> Own:
        """Return the settings of an environment that is on this target."""
        known = self.known(kind)
        if known is None:
            raise TypeError(f"{self.name} has no {kind.__name__}")
        return known

    @abstractmethod
    def runtime(self) -> Settings:
        """Return what a release runs with today, apart from PYM_ENV."""

    @abstractmethod
    def settings(self) -> EnvironmentSettings:
        """Return the environment's own settings: as remembered what was chosen once, the rest as configured.

        Raises:
            CurtainupError: something that they name is not to be had.

        """


def displaced(name: str, place: str, wanted: str, key: str) -> RefusedError:
    """Return the error for an environment that a changed key would make anew somewhere else.

    Args:
        name: of the environment.
        place: where it is, such as `in region eu-west-1`.
        wanted: what the key says now.
        key: of pym-config.yaml.

    """
    return RefusedError(
        f"{name} is {place}, and is now configured for {wanted}",
        where=f"{key} in pym-config.yaml",
        consequence="what serves there would be deleted unproven, so nothing was done",
        fix=f"put the old value back, or first run: curtainup destroy --env {name}",
    )
