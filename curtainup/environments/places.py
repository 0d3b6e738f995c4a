"""Where an environment and its releases are reached."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from curtainup.model.contract import EnvironmentSettings
from curtainup.model.environment import Environment
from curtainup.model.release import Release
from curtainup.targets import capabilities
from curtainup.targets.maintaining import Maintains
from curtainup.targets.target import Target


class Places:
    """The URLs of an environment.

    Attributes:
        target: it is on.
        environment: as Pulumi remembers it.

    """

    target: Target
    environment: Environment

    @property
    def known_url(self) -> str | None:
        """Where users reach it, None while that is not known yet."""
        if isinstance(self.target, capabilities.KnowsPlaces):
            return self.target.url()
        found = self.environment.outputs.get("url")
        return str(found) if found else None

    def keeps_urls(self, before: EnvironmentSettings | None) -> bool:
        """Return whether the URL that is known holds while an update goes on.

        Args:
            before: the settings with which the environment was updated last; None for those that it has.

        """
        if isinstance(self.target, capabilities.KnowsPlaces):
            return True
        return self.known_url is not None and (before is None or before == self.environment.settings)

    @property
    def url(self) -> str:
        """Where users reach it; on some targets that is known before the first update too."""
        return _known(self.known_url)

    @property
    def judged_url(self) -> str | None:
        """Where whoever judges it reaches it: as users do, or in maintenance past their page."""
        past = self.target.way_past() if isinstance(self.target, Maintains) else None
        return past or self.known_url

    def known_release_url(self, release: Release) -> str | None:
        """Where a release is reached alone, None while that is not known yet."""
        if isinstance(self.target, capabilities.KnowsPlaces):
            return self.target.release_url(release)
        found = (self.environment.outputs.get("release_urls") or {}).get(release.id)
        if not found and isinstance(self.target, capabilities.ForetellsReleases):
            return self.target.url_to_be(release)
        return str(found) if found else None

    def release_url(self, release: Release) -> str:
        """Where a release is reached alone."""
        return _known(self.known_release_url(release))

    def from_here(self, url: str) -> str:
        """Return the URL by which this machine reaches one of the environment's, once it is public.

        Raises:
            HostUnreachable: it is on a machine to which there is no connection.

        """
        return self.target.from_here(url) if isinstance(self.target, capabilities.MayBeDistant) else url

    def by_way_of(self) -> str:
        """Say in words how this machine reaches the environment's URLs that are others here."""
        return self.target.by_way_of() if isinstance(self.target, capabilities.MayBeDistant) else ""

    @contextmanager
    def reachable(self, url: str) -> Iterator[str]:
        """Give a URL by which anybody on this machine reaches one of the environment's URLs."""
        if not isinstance(self.target, capabilities.StartsPrivate):
            yield self.from_here(url)
            return
        with self.target.reachable(url) as reached:
            yield reached


def _known(url: str | None) -> str:
    if url is None:
        raise RuntimeError("its URL is not known before the first update")
    return url
