"""An environment on a plain Docker host: a container per release behind one HAProxy."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping
from typing import Any

import pulumi
import pulumi_docker as docker

from components.confinement import AS_CREATED, confined
from components.docker import ending, surroundings, variables
from components.docker.door_route import DoorRoute, DoorRouteArgs
from components.docker.processes import Processes, ProcessesArgs
from components.docker.traffic import Backend, TrafficSwitch, TrafficSwitchArgs
from components.environment import EnvironmentArgs
from components.labels import RELEASE, STATE, Label, labels
from curtainup.model import scheduler
from curtainup.model.release import Address, Release
from curtainup.model.targets.docker import DockerEnvironment, DockerSettings, guests
from curtainup.platforms.caddy import config as caddy
from curtainup.platforms.haproxy import config

PROXY_PORT = 8080
STATS_PORT = 8404

PROXY_MEMORY_MB = 512
"""Several times what HAProxy uses with as many connections as it takes."""


class DockerHost(pulumi.ComponentResource):
    """An environment on a Docker host.

    It does not wait for releases to become healthy (the driver does, so that a cancelled update
    ends at once), adds no HEALTHCHECK to that of the image, speaks no TLS itself (the host's door does, which
    it does not make), and removes no images.
    """

    url: pulumi.Output[str]
    release_urls: pulumi.Output[dict[str, str]]
    details: Mapping[str, pulumi.Input[Any]]

    def __init__(self, name: str, args: EnvironmentArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("curtainup:docker_host:DockerHost", name, None, opts)
        settings = _settings(args)
        network = self._create_network(name, args)
        releases = {
            release.id: self._create_release(name, args, network, release)
            for release in args.deployment.releases
        }
        proxy = self._create_proxy(name, args, network)
        switch = self._create_switch(name, args, proxy, releases)
        if settings.https_host:
            self._create_route(name, settings, proxy, switch)
        self._create_processes(name, args, network, switch)
        self.url = switch.proxy.apply(lambda _: settings.url)
        self.release_urls = pulumi.Output.from_input(release_urls(args))
        self.details = {"stats_url": switch.proxy.apply(lambda _: f"http://127.0.0.1:{settings.stats_port}")}
        if settings.https_host:
            self.details = {**self.details, "public_url": settings.public_url}
        self.register_outputs({"url": self.url, "release_urls": self.release_urls, **self.details})

    def _create_network(self, name: str, args: EnvironmentArgs) -> docker.Network:
        """Create a network with a subnet of its own: only there may containers have fixed addresses.

        Its gateway is named, as Docker itself tells of it only after a restart, which a refresh would
        take for a change. And no change of addresses may ever replace a network, as releases are on it.
        """
        settings = _settings(args)
        subnet = settings.subnet
        return docker.Network(
            f"{name}-network",
            docker.NetworkArgs(
                name=name,
                ipam_configs=[
                    docker.NetworkIpamConfigArgs(
                        subnet=subnet, gateway=gateway_ip(subnet), ip_range=guests(subnet)
                    )
                ],
                labels=_labels(docker.NetworkLabelArgs, settings),
            ),
            opts=pulumi.ResourceOptions(parent=self, ignore_changes=["ipamConfigs"]),
        )

    def _create_release(
        self, name: str, args: EnvironmentArgs, network: docker.Network, release: Release
    ) -> docker.Container:
        settings = _runtime(release)
        address = _address(release)
        return docker.Container(
            f"{name}-{release.id}",
            docker.ContainerArgs(
                name=f"{name}-{release.id}",
                image=release.image,
                envs=variables.of_release(release, args.secrets.get(release.id, {})),
                restart="unless-stopped",
                init=True,
                memory=settings.memory_mb,
                memory_swap=settings.memory_mb,
                cpus=str(settings.cpus) if settings.cpus else None,
                destroy_grace_seconds=settings.stop_timeout,
                stop_timeout=settings.stop_timeout,
                log_driver="json-file",
                log_opts={"max-size": "10m", "max-file": "3"},
                labels=_labels(
                    docker.ContainerLabelArgs,
                    _settings(args),
                    **{RELEASE: release.id, "curtainup.version": release.version},
                ),
                networks_advanced=[
                    docker.ContainerNetworksAdvancedArgs(name=network.name, ipv4_address=address.ip),
                    *surroundings.networks(settings),
                ],
                ports=[
                    docker.ContainerPortArgs(
                        internal=settings.container_port, external=address.port, ip="127.0.0.1"
                    )
                ],
                **surroundings.arguments(settings),
                **confined(settings.granted),
            ),
            opts=pulumi.ResourceOptions(
                parent=self,
                protect=_is_protected(args, release),
                ignore_changes=AS_CREATED,
                custom_timeouts=ending.patience(settings.stop_timeout),
            ),
        )

    def _create_proxy(self, name: str, args: EnvironmentArgs, network: docker.Network) -> docker.Container:
        settings = _settings(args)
        return docker.Container(
            f"{name}-proxy",
            docker.ContainerArgs(
                name=f"{name}-proxy",
                image=settings.proxy_image,
                restart="unless-stopped",
                memory=PROXY_MEMORY_MB,
                memory_swap=PROXY_MEMORY_MB,
                labels=_labels(docker.ContainerLabelArgs, settings),
                networks_advanced=[
                    docker.ContainerNetworksAdvancedArgs(
                        name=network.name, ipv4_address=proxy_ip(settings.subnet)
                    )
                ],
                ports=[
                    docker.ContainerPortArgs(internal=PROXY_PORT, external=settings.port, ip=settings.bind),
                    docker.ContainerPortArgs(
                        internal=STATS_PORT, external=settings.stats_port, ip="127.0.0.1"
                    ),
                ],
                envs=_proxy_variables(settings),
                uploads=[
                    docker.ContainerUploadArgs(
                        file=config.CONFIG_FILE,
                        content=config.render(
                            (),
                            request_timeout=settings.request_timeout,
                            gateway=gateway_ip(settings.subnet),
                            door=settings.door or None,
                        ),
                    )
                ],
                **confined(),
            ),
            # From then on the switch writes the file; another first one must not replace the proxy.
            opts=pulumi.ResourceOptions(
                parent=self, ignore_changes=["uploads", "memory", "memorySwap", *AS_CREATED]
            ),
        )

    def _create_switch(
        self,
        name: str,
        args: EnvironmentArgs,
        proxy: docker.Container,
        releases: dict[str, docker.Container],
    ) -> TrafficSwitch:
        """Create the switch after the releases, so that no traffic is sent before they exist."""
        settings = _settings(args)
        backends = [
            Backend(
                release=release.id,
                address=f"{_address(release).ip}:{release.settings.container_port}",
                container=releases[release.id].id,
                pids_limit=_runtime(release).pids_limit,
            )
            for release in args.deployment.releases
        ]
        return TrafficSwitch(
            f"{name}-traffic",
            TrafficSwitchArgs(
                proxy=proxy.name,
                proxy_id=proxy.id,
                backends=backends,
                traffic=args.deployment.traffic,
                request_timeout=settings.request_timeout,
                drain_timeout=settings.drain_timeout,
                generation=settings.generation,
                gateway=gateway_ip(settings.subnet),
                door=settings.door or None,
                maintenance=settings.maintenance.page if settings.maintenance else None,
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _create_route(
        self, name: str, settings: DockerEnvironment, proxy: docker.Container, switch: TrafficSwitch
    ) -> DoorRoute:
        """Create the route after the switch, so that the door never leads to a proxy without releases."""
        return DoorRoute(
            f"{name}-https",
            DoorRouteArgs(
                door=caddy.NAME,
                network=caddy.NAME,
                door_name=settings.door_name,
                host=settings.https_host,
                proxy=proxy.name,
                proxy_id=proxy.id,
                owner=name,
                certificate=settings.certificate or None,
            ),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[switch]),
        )

    def _create_processes(
        self, name: str, args: EnvironmentArgs, network: docker.Network, switch: TrafficSwitch
    ) -> None:
        """Create the processes of the release that works after the switch: once it has all traffic."""
        works = args.deployment.at_work()
        volume = self._create_volume(name, args)
        if works is None or not _runtime(works).kept_running:
            return
        labels = _labels(docker.ContainerLabelArgs, _settings(args))
        secrets = args.secrets.get(works.id, {})
        Processes(
            name,
            ProcessesArgs(works, _runtime(works), secrets, network.name, labels, switch, volume),
            pulumi.ResourceOptions(parent=self),
        )

    def _create_volume(self, name: str, args: EnvironmentArgs) -> pulumi.Output[str] | None:
        """Create the volume of the schedules, which is there for as long as any release has some."""
        if not any(_runtime(one).schedules for one in args.deployment.releases):
            return None
        labels = _labels(docker.VolumeLabelArgs, _settings(args))
        called = scheduler.volume(name)
        return docker.Volume(
            called, docker.VolumeArgs(name=called, labels=labels), opts=pulumi.ResourceOptions(parent=self)
        ).name


def _proxy_variables(settings: DockerEnvironment) -> list[str] | None:
    found = config.variables(header_kb=settings.header_kb, sticky=settings.sticky)
    return [f"{name}={value}" for name, value in found.items()] or None


def gateway_ip(subnet: str) -> str:
    """Return the address of the Docker host on the network: the first of the subnet."""
    return str(ipaddress.ip_network(subnet)[1])


def proxy_ip(subnet: str) -> str:
    """Return the proxy's address: the second of the subnet."""
    return str(ipaddress.ip_network(subnet)[2])


def release_urls(args: EnvironmentArgs) -> dict[str, str]:
    """Return by release id where it is reached alone, from the Docker host itself."""
    return {release.id: _address(release).url for release in args.deployment.releases}


def _is_protected(args: EnvironmentArgs, release: Release) -> bool:
    """Releases that carry traffic are protected, where there is something to lose."""
    return not args.settings.is_disposable and args.deployment.traffic.get(release.id, 0) > 0


def _labels(kind: Callable[..., Label], settings: DockerEnvironment, **more: str) -> list[Label]:
    """Return the labels of one resource; an environment that is older than that label goes without it."""
    return labels(kind, settings.service, settings.name, **{STATE: settings.state or None, **more})


def _settings(args: EnvironmentArgs) -> DockerEnvironment:
    if not isinstance(args.settings, DockerEnvironment):
        raise TypeError(f"{args.settings.name} is on {args.settings.target}, not on a Docker host")
    return args.settings


def _runtime(release: Release) -> DockerSettings:
    if not isinstance(release.settings, DockerSettings):
        raise ValueError(f"release {release.id} is not made for a Docker host")
    return release.settings


def _address(release: Release) -> Address:
    if release.address is None:
        raise ValueError(f"release {release.id} has no address on this Docker host")
    return release.address
