"""The accessories of an environment on a Docker host: containers with volumes, on a network of theirs."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import pulumi
import pulumi_docker as docker

from components.confinement import AS_CREATED
from components.docker import variables
from components.labels import ACCESSORY, STATE, Label, labels
from curtainup.model.accessories import AccessoriesSettings, Accessory


@dataclass(frozen=True)
class AccessoriesArgs:
    """What the accessories of an environment are made from.

    Attributes:
        settings: all of them.
        secrets: by the accessory's name and the variable's, the values of secret variables.

    """

    settings: AccessoriesSettings
    secrets: Mapping[str, Mapping[str, pulumi.Output[str]]] = field(default_factory=dict)


class Accessories(pulumi.ComponentResource):
    """The accessories of an environment.

    It publishes no port of theirs, and waits for none to become healthy (the driver does). It takes no
    capability from their images, which are others': many start as root and change their user.
    """

    network: pulumi.Output[str]

    def __init__(self, name: str, args: AccessoriesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("curtainup:accessory:Accessories", name, None, opts)
        network = self._create_network(name, args.settings)
        for one in args.settings.accessories:
            volume = self._create_volume(name, args.settings, one) if one.volume else None
            self._create_container(name, args, one, network, volume)
        self.network = network.name
        self.register_outputs({"network": self.network})

    def _create_network(self, name: str, settings: AccessoriesSettings) -> docker.Network:
        """Create a network on which only names count, so containers get what addresses there are.

        Its gateway is named, as Docker itself tells of it only after a restart, and no change of addresses
        may replace it, as releases are on it.
        """
        gateway = str(ipaddress.ip_network(settings.subnet)[1])
        return docker.Network(
            f"{name}-network",
            docker.NetworkArgs(
                name=settings.network,
                ipam_configs=[docker.NetworkIpamConfigArgs(subnet=settings.subnet, gateway=gateway)],
                labels=_labels(docker.NetworkLabelArgs, settings, "network"),
            ),
            opts=pulumi.ResourceOptions(parent=self, ignore_changes=["ipamConfigs"]),
        )

    def _create_volume(self, name: str, settings: AccessoriesSettings, one: Accessory) -> docker.Volume:
        return docker.Volume(
            f"{name}-{one.name}-data",
            docker.VolumeArgs(
                name=settings.container(one.name),
                labels=_labels(docker.VolumeLabelArgs, settings, one.name),
            ),
            opts=pulumi.ResourceOptions(parent=self, protect=not settings.is_disposable),
        )

    def _create_container(
        self,
        name: str,
        args: AccessoriesArgs,
        one: Accessory,
        network: docker.Network,
        volume: docker.Volume | None,
    ) -> docker.Container:
        """Create the container. Another one comes after this one is gone: two would write to one volume."""
        settings = args.settings
        return docker.Container(
            f"{name}-{one.name}",
            docker.ContainerArgs(
                name=settings.container(one.name),
                image=one.image,
                command=list(one.command) or None,
                envs=variables.together(one.env, args.secrets.get(one.name, {})),
                restart="unless-stopped",
                memory=one.memory_mb,
                memory_swap=one.memory_mb,
                destroy_grace_seconds=one.stop_timeout,
                stop_timeout=one.stop_timeout,
                log_driver="json-file",
                log_opts={"max-size": "10m", "max-file": "3"},
                labels=_labels(docker.ContainerLabelArgs, settings, one.name),
                networks_advanced=[
                    docker.ContainerNetworksAdvancedArgs(name=network.name, aliases=[one.name])
                ],
                mounts=[docker.ContainerMountArgs(type="volume", source=volume.name, target=one.volume)]
                if volume
                else None,
                security_opts=["no-new-privileges:true"],
            ),
            opts=pulumi.ResourceOptions(
                parent=self,
                protect=not settings.is_disposable,
                delete_before_replace=True,
                ignore_changes=AS_CREATED,
            ),
        )


def _labels(kind: Callable[..., Label], settings: AccessoriesSettings, name: str) -> list[Label]:
    return labels(kind, settings.service, settings.environment, **{ACCESSORY: name, STATE: settings.state})
