"""The stacks `NAME-ENV-accessories`: what is beside the releases of an environment."""

from __future__ import annotations

import json

import pulumi

from components.docker.accessory import Accessories, AccessoriesArgs
from curtainup.model.accessories import AccessoriesSettings


def render(config: pulumi.Config) -> None:
    """Declare the accessories of an environment, and export their network."""
    settings = AccessoriesSettings.model_validate(config.require_object("accessories"))
    sealed = config.get_object("sealed") or {}
    secrets = {
        name: {variable: pulumi.Output.secret(value) for variable, value in json.loads(part).items()}
        for name, part in sealed.items()
    }
    accessories = Accessories(settings.network, AccessoriesArgs(settings, secrets))
    pulumi.export("network", accessories.network)
