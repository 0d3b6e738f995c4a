"""One container, whose label changes when it is told to."""

import pulumi
import pulumi_docker as docker

STOP_SECONDS = 1


def render() -> None:
    """Register it."""
    config = pulumi.Config("curtainup")
    name = f"{config.require('name')}-{pulumi.get_stack()}"
    container = docker.Container(
        "one",
        name=name,
        image=config.require("image"),
        command=["sleep", "infinity"],
        init=True,
        destroy_grace_seconds=STOP_SECONDS,
        labels=[
            docker.ContainerLabelArgs(label="curtainup.benchmark", value=config.require("name")),
            docker.ContainerLabelArgs(label="curtainup.marker", value=config.require("marker")),
        ],
        opts=pulumi.ResourceOptions(delete_before_replace=True),
    )
    pulumi.export("container", container.id)
