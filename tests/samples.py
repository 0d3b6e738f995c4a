"""Releases, deployments and environments to test with; each call may change what matters to its test."""

from __future__ import annotations

from typing import Any

from curtainup.model.release import Address, Deployment, Release
from curtainup.model.targets.docker import DockerEnvironment, DockerSettings

SETTINGS = DockerSettings(
    memory_mb=256,
    pids_limit=64,
    container_port=8080,
    health_path="/ping",
    stop_timeout=5,
    env={"PYM_ENV": "shop-live"},
)


def release(number: int, **changed: Any) -> Release:
    """Return a release whose id, digest and address follow from its number."""
    values: dict[str, Any] = {
        "id": f"r{number:07x}",
        "version": f"200415-0819-{number}-b3548e",
        "image": f"127.0.0.1:5000/shop@sha256:{number:064x}",
        "settings": SETTINGS,
        "address": Address(ip=f"10.213.0.{10 + number}", port=20000 + number),
    }
    return Release(**{**values, **changed})


def deployment(*traffic: int, candidate: str | None = None) -> Deployment:
    """Return a deployment of the releases 1, 2 …, with these per cents of traffic."""
    releases = tuple(release(number) for number in range(1, len(traffic) + 1))
    shares = {one.id: percent for one, percent in zip(releases, traffic, strict=True)}
    return Deployment(releases=releases, traffic=shares, candidate=candidate)


def environment(**changed: Any) -> DockerEnvironment:
    """Return the settings of an environment on a Docker host."""
    values: dict[str, Any] = {
        "service": "shop",
        "name": "live",
        "port": 8081,
        "stats_port": 20999,
        "subnet": "10.213.0.0/24",
        "proxy_image": "curtainup/proxy:2",
        "request_timeout": 60,
        "drain_timeout": 30,
        "generation": 3,
    }
    return DockerEnvironment(**{**values, **changed})
