"""The door of a Docker host: one Caddy for the HTTPS of all services on it."""

from __future__ import annotations

import ipaddress

import pulumi
import pulumi_docker as docker

from components.confinement import AS_CREATED, confined
from components.labels import STATE
from curtainup.model.door import DoorSettings
from curtainup.platforms.caddy import config

ROLE = "curtainup.role"
MEMORY_MB = 512
STOP_SECONDS = 10


class Door(pulumi.ComponentResource):
    """The door, the networks that it stands between, and the volume of its certificates.

    It has no route: each environment makes its own. It is never updated by a deployment.
    """

    address: str

    def __init__(self, name: str, settings: DoorSettings, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("curtainup:door:Door", name, None, opts)
        self.address = address(settings.subnet)
        volume = self._create_volume(name, settings)
        # Without a way out, so that joining it changes no route of a proxy that serves.
        inside = self._create_network(config.NAME, settings.subnet, settings, internal=True)
        outside = self._create_network(config.OUTSIDE, settings.outside, settings, internal=False)
        door = self._create_container(name, settings, volume, inside, outside)
        self.register_outputs({"container": door.name})

    def _create_volume(self, name: str, settings: DoorSettings) -> docker.Volume:
        return docker.Volume(
            f"{name}-data",
            docker.VolumeArgs(
                name=config.VOLUME,
                labels=[
                    docker.VolumeLabelArgs(label=label, value=value)
                    for label, value in _labels(settings).items()
                ],
            ),
            opts=pulumi.ResourceOptions(parent=self, protect=True),
        )

    def _create_network(
        self, name: str, subnet: str, settings: DoorSettings, *, internal: bool
    ) -> docker.Network:
        gateway = str(ipaddress.ip_network(subnet)[1])
        return docker.Network(
            name,
            docker.NetworkArgs(
                name=name,
                internal=internal,
                ipam_configs=[docker.NetworkIpamConfigArgs(subnet=subnet, gateway=gateway)],
                labels=[
                    docker.NetworkLabelArgs(label=label, value=value)
                    for label, value in _labels(settings).items()
                ],
            ),
            opts=pulumi.ResourceOptions(parent=self, ignore_changes=["ipamConfigs"]),
        )

    def _create_container(
        self,
        name: str,
        settings: DoorSettings,
        volume: docker.Volume,
        inside: docker.Network,
        outside: docker.Network,
    ) -> docker.Container:
        text = config.render(
            door=settings.name,
            directory=settings.directory,
            email=settings.email,
            has_root=bool(settings.root),
        )
        files = {config.CONFIG_FILE: text} | ({config.ROOT_FILE: settings.root} if settings.root else {})
        return docker.Container(
            name,
            docker.ContainerArgs(
                name=config.NAME,
                image=settings.image,
                restart="unless-stopped",
                memory=MEMORY_MB,
                memory_swap=MEMORY_MB,
                destroy_grace_seconds=STOP_SECONDS,
                dns=list(settings.dns) or None,
                log_driver="json-file",
                log_opts={"max-size": "10m", "max-file": "3"},
                labels=[
                    docker.ContainerLabelArgs(label=label, value=value)
                    for label, value in {**_labels(settings), config.ACME: settings.directory}.items()
                ],
                networks_advanced=[
                    docker.ContainerNetworksAdvancedArgs(name=outside.name),
                    docker.ContainerNetworksAdvancedArgs(name=inside.name, ipv4_address=self.address),
                ],
                ports=[
                    docker.ContainerPortArgs(internal=80, external=80),
                    docker.ContainerPortArgs(internal=443, external=443),
                    docker.ContainerPortArgs(internal=443, external=443, protocol="udp"),
                ],
                volumes=[
                    docker.ContainerVolumeArgs(volume_name=volume.name, container_path=config.DATA),
                ],
                uploads=[
                    docker.ContainerUploadArgs(file=file, content=content) for file, content in files.items()
                ],
                **confined(),
            ),
            opts=pulumi.ResourceOptions(parent=self, ignore_changes=["memory", "memorySwap", *AS_CREATED]),
        )


def address(subnet: str) -> str:
    """Return the door's address on its network: the second of the subnet."""
    return str(ipaddress.ip_network(subnet)[2])


def _labels(settings: DoorSettings) -> dict[str, str]:
    return {ROLE: "door", STATE: settings.name}
