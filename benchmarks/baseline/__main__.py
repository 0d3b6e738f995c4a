"""Staging is one container; live is a blue and a green one behind HAProxy."""

from __future__ import annotations

import pulumi
import pulumi_docker as docker

config = pulumi.Config()
stack = pulumi.get_stack()
name = f"{config.require('name')}-{stack}"
HAPROXY = """\
global
    stats socket /run/haproxy/admin.sock mode 600 level admin
defaults
    mode http
    option http-server-close
    option redispatch 1
    retries 3
    timeout connect 2s
    timeout client 60s
    timeout server 60s
frontend public
    bind :8080
    default_backend app
backend app
    server blue {prefix}.11:8080 weight {blue}
    server green {prefix}.12:8080 weight {green}
"""


def service(colour: str, last_byte: int) -> None:
    """Create the container of a colour, when it has an image."""
    image = config.get(f"{colour}-image")
    if image is None:
        return
    variables = {"PORT": "8080", "PYM_ENV": name, "VERSION": image.rpartition(":")[2]}
    plain = [f"{key}={value}" for key, value in variables.items()]
    docker.Container(
        colour,
        name=f"{name}-{colour}",
        image=image,
        envs=config.require_secret("hello-secret").apply(lambda value: [*plain, f"HELLO_SECRET={value}"]),
        init=True,
        restart="unless-stopped",
        memory=512,
        labels=[docker.ContainerLabelArgs(label="curtainup.benchmark", value=config.require("name"))],
        networks_advanced=[
            docker.ContainerNetworksAdvancedArgs(name=network.name, ipv4_address=f"{prefix}.{last_byte}")
        ],
        ports=[
            docker.ContainerPortArgs(
                internal=8080, external=config.require_int(f"{colour}-port"), ip="127.0.0.1"
            )
        ],
        opts=pulumi.ResourceOptions(delete_before_replace=True),
    )


subnet = config.require("subnet")
prefix = subnet.rpartition(".")[0]
network = docker.Network(
    "network",
    name=name,
    ipam_configs=[docker.NetworkIpamConfigArgs(subnet=subnet)],
    labels=[docker.NetworkLabelArgs(label="curtainup.benchmark", value=config.require("name"))],
)
service("blue", 11)
if stack == "live":
    service("green", 12)
    active = config.require("active")
    docker.Container(
        "proxy",
        name=f"{name}-proxy",
        image=config.require("proxy-image"),
        labels=[docker.ContainerLabelArgs(label="curtainup.benchmark", value=config.require("name"))],
        networks_advanced=[
            docker.ContainerNetworksAdvancedArgs(name=network.name, ipv4_address=f"{prefix}.2")
        ],
        ports=[docker.ContainerPortArgs(internal=8080, external=config.require_int("port"), ip="127.0.0.1")],
        uploads=[
            docker.ContainerUploadArgs(
                file="/etc/curtainup/haproxy.cfg",
                content=HAPROXY.format(
                    prefix=prefix, blue=100 * (active == "blue"), green=100 * (active == "green")
                ),
            )
        ],
        opts=pulumi.ResourceOptions(ignore_changes=["uploads"]),
    )
    pulumi.export("url", f"http://127.0.0.1:{config.require('port')}")
    for colour in ("blue", "green"):
        pulumi.export(f"{colour}-url", f"http://127.0.0.1:{config.require(f'{colour}-port')}")
else:
    pulumi.export("url", f"http://127.0.0.1:{config.require('blue-port')}")
