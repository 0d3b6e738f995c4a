"""The program's half of `podium`: a container for each release, behind the proxy of a Docker host."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi
import pulumi_docker as docker

from components.docker.traffic import Backend, TrafficSwitch, TrafficSwitchArgs
from components.environment import EnvironmentArgs
from components.labels import RELEASE, labels
from components.targets import TargetSpec
from curtainup.model.release import Release
from curtainup.model.release_settings import variables
from curtainup.platforms.haproxy import config
from tests.toy.models import PodiumEnvironment, PodiumSettings

REQUEST_TIMEOUT = 60
DRAIN_TIMEOUT = 5


class Podium(pulumi.ComponentResource):
    """An environment on a podium. Docker itself chooses every address and every port but the proxy's."""

    url: pulumi.Output[str]
    release_urls: pulumi.Output[dict[str, str]]
    details: Mapping[str, pulumi.Input[Any]]

    def __init__(self, name: str, args: EnvironmentArgs) -> None:
        super().__init__("toy:podium:Podium", name)
        releases = {one.id: self._create_release(name, args, one) for one in args.deployment.releases}
        proxy = self._create_proxy(name, args)
        switch = self._create_switch(name, args, proxy, releases)
        self.url = switch.proxy.apply(lambda _: _settings(args).url)
        self.release_urls = pulumi.Output.from_input(
            {one: made.ports for one, made in releases.items()}
        ).apply(
            lambda ports: {one: f"http://127.0.0.1:{given[0]['external']}" for one, given in ports.items()}
        )
        self.details = {}
        self.register_outputs({"url": self.url, "release_urls": self.release_urls})

    def _create_release(self, name: str, args: EnvironmentArgs, release: Release) -> docker.Container:
        settings = release.settings
        if not isinstance(settings, PodiumSettings):
            raise TypeError(f"release {release.id} is not made for a podium")
        plain = variables(settings, release.version)
        envs = pulumi.Output.from_input(dict(args.secrets.get(release.id, {}))).apply(
            lambda secrets: [f"{key}={value}" for key, value in sorted({**plain, **secrets}.items())]
        )
        return docker.Container(
            f"{name}-{release.id}",
            docker.ContainerArgs(
                name=f"{name}-{release.id}",
                image=release.image,
                memory=settings.memory_mb,
                envs=envs,
                labels=labels(
                    docker.ContainerLabelArgs,
                    args.settings.service,
                    args.settings.name,
                    **{RELEASE: release.id},
                ),
                ports=[docker.ContainerPortArgs(internal=settings.container_port, ip="127.0.0.1")],
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _create_proxy(self, name: str, args: EnvironmentArgs) -> docker.Container:
        settings = _settings(args)
        first = config.render((), request_timeout=REQUEST_TIMEOUT)
        return docker.Container(
            f"{name}-proxy",
            docker.ContainerArgs(
                name=f"{name}-proxy",
                image=settings.proxy_image,
                labels=labels(docker.ContainerLabelArgs, settings.service, settings.name),
                ports=[
                    docker.ContainerPortArgs(internal=config.PORT, external=settings.port, ip="127.0.0.1")
                ],
                uploads=[docker.ContainerUploadArgs(file=config.CONFIG_FILE, content=first)],
            ),
            opts=pulumi.ResourceOptions(parent=self, ignore_changes=["uploads"]),
        )

    def _create_switch(
        self,
        name: str,
        args: EnvironmentArgs,
        proxy: docker.Container,
        releases: Mapping[str, docker.Container],
    ) -> TrafficSwitch:
        ports = {one.id: one.settings.container_port for one in args.deployment.releases}
        backends = [
            Backend(
                release=one,
                address=pulumi.Output.concat(made.network_datas[0].ip_address, ":", str(ports[one])),
                container=made.id,
            )
            for one, made in releases.items()
        ]
        return TrafficSwitch(
            f"{name}-traffic",
            TrafficSwitchArgs(
                proxy=proxy.name,
                proxy_id=proxy.id,
                backends=backends,
                traffic=args.deployment.traffic,
                request_timeout=REQUEST_TIMEOUT,
                drain_timeout=DRAIN_TIMEOUT,
                generation=args.settings.generation,
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )


def _settings(args: EnvironmentArgs) -> PodiumEnvironment:
    if not isinstance(args.settings, PodiumEnvironment):
        raise TypeError(f"{args.settings.name} is not on a podium")
    return args.settings


SPEC = TargetSpec(environment=PodiumEnvironment, settings=PodiumSettings, component=f"{__name__}:Podium")
