"""The registry that images are pushed to."""

from __future__ import annotations

import ipaddress

import pulumi
import pulumi_docker as docker

from components import targets
from components.confinement import confined
from components.labels import STATE, labels
from components.registry_args import RegistryArgs

MEMORY_MB = 512

__all__ = ["Registry", "RegistryArgs"]


class Registry(pulumi.ComponentResource):
    """A registry: one of our own on the Docker host's loopback interface, a cloud's, or one that is given.

    It does not create accounts or repositories in a given registry, nor log in to any: the provider
    that it inherits carries the login.

    Attributes:
        host: as it begins an image's name.
        ready: what a push waits for.

    """

    host: str
    ready: tuple[pulumi.Resource, ...]

    def __init__(self, name: str, args: RegistryArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("curtainup:registry:Registry", name, None, opts)
        self.host = args.settings.host
        self.ready = ()
        if (repository := targets.registry(args.settings.kind)) is not None:
            options = pulumi.ResourceOptions(parent=self)
            self.ready = repository(f"{name}-{args.settings.kind}", args, options).ready
        elif args.settings.local_port:
            self.ready = (self._create_container(name, args),)
        self.register_outputs({"host": self.host})

    def _create_container(self, name: str, args: RegistryArgs) -> docker.Container:
        """Create the registry on a network of its own, where nothing else reaches it.

        Its images are on a volume, so it may be replaced; the old one has its name and port until it is gone.
        """
        options, state = pulumi.ResourceOptions(parent=self), {STATE: args.settings.state or None}
        network = docker.Network(
            f"{name}-network",
            docker.NetworkArgs(
                name=name,
                ipam_configs=_addresses(args.settings.subnet),
                labels=labels(docker.NetworkLabelArgs, args.service, **state),
            ),
            opts=pulumi.ResourceOptions(parent=self, ignore_changes=["ipamConfigs"]),
        )
        volume = docker.Volume(
            f"{name}-volume",
            docker.VolumeArgs(name=name, labels=labels(docker.VolumeLabelArgs, args.service, **state)),
            opts=options,
        )
        return docker.Container(
            f"{name}-container",
            docker.ContainerArgs(
                name=name,
                image=args.settings.image,
                restart="unless-stopped",
                memory=MEMORY_MB,
                memory_swap=MEMORY_MB,
                envs=["REGISTRY_STORAGE_DELETE_ENABLED=false"],
                networks_advanced=[docker.ContainerNetworksAdvancedArgs(name=network.name)],
                labels=labels(docker.ContainerLabelArgs, args.service, **state),
                ports=[
                    docker.ContainerPortArgs(internal=5000, external=args.settings.local_port, ip="127.0.0.1")
                ],
                volumes=[
                    docker.ContainerVolumeArgs(volume_name=volume.name, container_path=args.settings.folder)
                ],
                **confined(),
            ),
            opts=pulumi.ResourceOptions(parent=self, delete_before_replace=True),
        )


def _addresses(subnet: str) -> list[docker.NetworkIpamConfigArgs] | None:
    if not subnet:
        return None
    gateway = str(ipaddress.ip_network(subnet)[1])
    return [docker.NetworkIpamConfigArgs(subnet=subnet, gateway=gateway)]
