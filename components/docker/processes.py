"""The processes of the release that works, on a Docker host: a container for each copy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_docker as docker

from components.confinement import AS_CREATED, confined
from components.docker import ending, scheduler, surroundings, variables
from components.labels import PROCESS, RELEASE
from curtainup.model.process import Process, container, copies
from curtainup.model.release import Release
from curtainup.model.scheduler import is_scheduler
from curtainup.model.targets.docker import DockerSettings


@dataclass(frozen=True)
class ProcessesArgs:
    """What the processes of a release are made from.

    Attributes:
        release: the release that works.
        settings: what it runs with.
        secrets: by name, the values of its secret variables.
        network: the environment's.
        labels: what every container of the environment bears.
        switch: what gives the release its traffic, before any process starts.
        volume: in which the environment remembers what its schedules have run; None without schedules.

    """

    release: Release
    settings: DockerSettings
    secrets: Mapping[str, pulumi.Output[str]]
    network: pulumi.Input[str]
    labels: list[docker.ContainerLabelArgs]
    switch: pulumi.Resource
    volume: pulumi.Input[str] | None = None


class Processes(pulumi.ComponentResource):
    """The containers of a release's processes.

    A container of the outgoing release ends before the one that takes its place is made, because both are one
    resource; with `overlap` they are two. It publishes no port, has no fixed address, and is not protected.
    """

    def __init__(self, name: str, args: ProcessesArgs, opts: pulumi.ResourceOptions) -> None:
        super().__init__("curtainup:processes:Processes", f"{name}.processes", None, opts)
        for process, number in copies(args.settings):
            self._create_container(name, args, process, number)
        self.register_outputs({})

    def _create_container(self, name: str, args: ProcessesArgs, process: Process, number: int) -> None:
        called = container(name, process, number, args.release.id)
        docker.Container(
            called,
            docker.ContainerArgs(
                name=called,
                image=args.release.image,
                command=list(process.command),
                envs=variables.of_release(args.release, args.secrets),
                restart="unless-stopped",
                init=True,
                memory=process.memory_mb,
                memory_swap=process.memory_mb,
                cpus=str(process.cpus) if process.cpus else None,
                stop_signal="SIGTERM",
                stop_timeout=process.stop_timeout,
                destroy_grace_seconds=process.stop_timeout,
                healthcheck=docker.ContainerHealthcheckArgs(tests=["NONE"]),
                log_driver="json-file",
                log_opts={"max-size": "10m", "max-file": "3"},
                labels=[
                    *args.labels,
                    docker.ContainerLabelArgs(label=RELEASE, value=args.release.id),
                    docker.ContainerLabelArgs(label=PROCESS, value=process.name),
                ],
                networks_advanced=[
                    docker.ContainerNetworksAdvancedArgs(name=args.network),
                    *surroundings.networks(args.settings),
                ],
                **_further(args, process),
                **confined(args.settings.granted),
            ),
            opts=pulumi.ResourceOptions(
                parent=self,
                depends_on=[args.switch],
                delete_before_replace=True,
                ignore_changes=[*AS_CREATED, *(scheduler.AS_CREATED if is_scheduler(process) else ())],
                custom_timeouts=ending.patience(process.stop_timeout),
            ),
        )


def _further(args: ProcessesArgs, process: Process) -> dict[str, Any]:
    own = scheduler.arguments(args.release, process, args.volume)
    beside = surroundings.arguments(args.settings)
    mounts = [*beside.get("mounts", ()), *own.get("mounts", ())]
    return {**beside, **own, **({"mounts": mounts} if mounts else {})}
