"""The stack `NAME-image`: the image, and the registry it is pushed to."""

from __future__ import annotations

import pulumi
import pulumi_docker as docker

from components.image import ContainerImage, ContainerImageArgs
from components.registry import Registry, RegistryArgs
from curtainup.contract import ImageSettings, RegistrySettings


def render(config: pulumi.Config) -> None:
    """Declare the registry and the image, and export what the driver and people need of them."""
    settings = ImageSettings.model_validate(config.require_object("image"))
    place = RegistrySettings.model_validate(config.require_object("registry"))
    options = pulumi.ResourceOptions(provider=_docker_provider(place))
    registry = Registry(f"{settings.service}-registry", RegistryArgs(settings.service, place), options)
    image = ContainerImage(settings.service, ContainerImageArgs(settings, registry), options)
    pulumi.export("image_id", image.image_id)
    pulumi.export("reference", image.reference)
    pulumi.export("version", settings.version)
    pulumi.export("tree", settings.tree)


def _docker_provider(place: RegistrySettings) -> docker.Provider:
    """Log in to the registry as Docker does; the provider asks for an entry even for an open one."""
    local = place.local_port is not None
    auth = docker.ProviderRegistryAuthArgs(
        address=f"http://{place.host}" if local else place.host, auth_disabled=local or None
    )
    return docker.Provider("docker", docker.ProviderArgs(registry_auth=[auth]))
