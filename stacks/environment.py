"""The stacks `NAME-staging`, `NAME-live` …: an environment with its releases and traffic."""

from __future__ import annotations

import pulumi

from components.environment import EnvironmentArgs
from components.targets import TARGETS
from curtainup import release
from curtainup.contract import EnvironmentSettings


def render(config: pulumi.Config) -> None:
    """Declare the environment on its target, and export its URLs, releases and traffic."""
    settings = EnvironmentSettings.model_validate(config.require_object("environment"))
    deployment, secrets = release.from_config(config)
    component = TARGETS[settings.target]
    environment = component(
        f"{settings.service}-{settings.name}", EnvironmentArgs(settings, deployment, secrets)
    )
    pulumi.export("url", environment.url)
    pulumi.export("stats_url", environment.stats_url)
    pulumi.export("release_urls", environment.release_urls)
    pulumi.export("traffic", deployment.traffic)
    pulumi.export("generation", settings.generation)
