"""The stacks `NAME-staging`, `NAME-live` …: an environment with its releases and traffic."""

from __future__ import annotations

import pulumi

from components import targets
from components.environment import EnvironmentArgs
from curtainup.model import contract, release_config


def render(config: pulumi.Config) -> None:
    """Declare the environment on its target, and export its URLs, releases and traffic."""
    document = config.require_object("environment")
    target = contract.target_of(document)
    spec = targets.spec_of(target)
    settings = spec.environment.model_validate(document)
    deployment, secrets = release_config.from_config(config, spec.settings)
    environment = targets.component(target)(
        f"{settings.service}-{settings.name}",
        EnvironmentArgs(settings, deployment, secrets, config.get("rendered") or ""),
    )
    pulumi.export("url", environment.url)
    pulumi.export("release_urls", environment.release_urls)
    for name, value in environment.details.items():
        pulumi.export(name, value)
    pulumi.export("traffic", deployment.traffic)
    pulumi.export("generation", settings.generation)
