"""Releases and deployments of a cloud's environment to try, and the environment itself as it is declared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi

from components.environment import EnvironmentArgs, EnvironmentType
from curtainup.model.contract import EnvironmentSettings
from curtainup.model.release import Deployment, Release
from curtainup.model.release_settings import Settings
from tests.components.program import Run, declare


@dataclass(frozen=True)
class Samples:
    """Of one target.

    Attributes:
        component: the target's.
        image: the image's name, without a digest.
        settings: what a release runs with.

    """

    component: EnvironmentType
    image: str
    settings: Settings

    def release(self, number: int, **changed: Any) -> Release:
        """Return a release whose id and digest follow from its number."""
        values: dict[str, Any] = {
            "id": f"r{number:07x}",
            "version": f"200415-0819-{number}-b3548e",
            "image": f"{self.image}@sha256:{number:064x}",
            "settings": self.settings,
        }
        return Release(**{**values, **changed})

    def deployment(self, *traffic: int) -> Deployment:
        """Return a deployment of the releases 1, 2 …, with these per cents of traffic."""
        releases = tuple(self.release(number) for number in range(1, len(traffic) + 1))
        shares = {one.id: percent for one, percent in zip(releases, traffic, strict=True)}
        return Deployment(releases=releases, traffic=shares)

    def one(self, **changed: Any) -> Deployment:
        """Return a deployment of a single release with all traffic; `changed` are fields of its settings."""
        only = self.release(1, settings=self.settings.model_copy(update=changed))
        return Deployment(releases=(only,), traffic={only.id: 100})

    def rendered(
        self,
        settings: EnvironmentSettings,
        deployed: Deployment,
        secrets: Mapping[str, Mapping[str, str]] | None,
        already: str = "",
    ) -> Run:
        """Declare an environment; `secrets` are by release id and name, `already` is what is rendered."""

        def work() -> None:
            sealed = {
                one: {name: pulumi.Output.secret(value) for name, value in values.items()}
                for one, values in (secrets or {}).items()
            }
            name = f"{settings.service}-{settings.name}"
            self.component(name, EnvironmentArgs(settings, deployed, sealed, already))

        return declare(work)
