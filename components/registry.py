"""The registry that images are pushed to."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_docker as docker

from components.labels import labels
from curtainup.contract import RegistrySettings


@dataclass(frozen=True)
class RegistryArgs:
    """The service that the registry belongs to, and where it is."""

    service: str
    settings: RegistrySettings


class Registry(pulumi.ComponentResource):
    """A registry: one of our own on the Docker host's loopback interface, or one that is given.

    It does not create accounts or repositories in a given registry, nor log in to it: the provider
    that it inherits carries the login.
    """

    host: str
    container: docker.Container | None

    def __init__(self, name: str, args: RegistryArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("curtainup:registry:Registry", name, None, opts)
        self.host = args.settings.host
        self.container = self._create_container(name, args) if args.settings.local_port else None
        self.register_outputs({"host": self.host})

    def _create_container(self, name: str, args: RegistryArgs) -> docker.Container:
        options = pulumi.ResourceOptions(parent=self)
        volume = docker.Volume(
            f"{name}-volume",
            docker.VolumeArgs(name=name, labels=labels(docker.VolumeLabelArgs, args.service)),
            opts=options,
        )
        return docker.Container(
            f"{name}-container",
            docker.ContainerArgs(
                name=name,
                image=args.settings.image,
                restart="unless-stopped",
                labels=labels(docker.ContainerLabelArgs, args.service),
                ports=[
                    docker.ContainerPortArgs(internal=5000, external=args.settings.local_port, ip="127.0.0.1")
                ],
                volumes=[
                    docker.ContainerVolumeArgs(volume_name=volume.name, container_path="/var/lib/registry")
                ],
            ),
            opts=options,
        )
