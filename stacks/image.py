"""The stack `NAME-image`: the image, and the registry it is pushed to."""

from __future__ import annotations

import pulumi
import pulumi_docker as docker
from docker.auth import load_config

from components import targets
from components.image import ContainerImage, ContainerImageArgs
from components.registry import Registry, RegistryArgs
from curtainup.model.contract import ImageSettings, RegistrySettings


def render(config: pulumi.Config) -> None:
    """Declare the registry and the image, and export what the driver and people need of them.

    An update that leaves the image out prepares one that builds it on another engine than the registry's.
    """
    settings = ImageSettings.model_validate(config.require_object("image"))
    place = RegistrySettings.model_validate(config.require_object("registry"))
    options = pulumi.ResourceOptions(provider=_docker_provider(place, push=settings.push))
    registry = Registry(f"{settings.service}-registry", RegistryArgs(settings.service, place), options)
    if not settings.build:
        return
    image = ContainerImage(settings.service, ContainerImageArgs(settings, registry), options)
    pulumi.export("image_id", image.image_id)
    pulumi.export("reference", image.reference)
    pulumi.export("version", settings.version)
    pulumi.export("tree", settings.tree)


def _docker_provider(place: RegistrySettings, *, push: bool) -> docker.Provider:
    """Log in to the registry as Docker does; the provider asks for an entry even for an open one.

    The login to a cloud's registry is there only while something is pushed. The state never holds the
    engine's address, which the SDK takes from DOCKER_HOST: another run may reach the engine by another one.
    """
    anywhere = pulumi.Output.from_input(None)
    cloud = targets.registry(place.kind) is not None
    if cloud and not push:
        return docker.Provider("docker", docker.ProviderArgs(host=anywhere))
    auth = docker.ProviderRegistryAuthArgs(
        address=f"http://{place.host}" if _is_loopback(place.host) else place.host,
        auth_disabled=None if cloud or _has_login(place) else True,
    )
    return docker.Provider("docker", docker.ProviderArgs(host=anywhere, registry_auth=[auth]))


def _is_loopback(host: str) -> bool:
    """Return whether Docker speaks plain HTTP to a registry, as it does on this machine alone."""
    return host.startswith("127.") or host.partition(":")[0] == "localhost"


def _has_login(place: RegistrySettings) -> bool:
    """Return whether `docker login` has left one; the provider fails where it is told of one in vain."""
    return place.local_port is None and bool(load_config().resolve_authconfig(place.host))
