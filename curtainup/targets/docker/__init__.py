"""A Docker host as a target."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from curtainup.model.release import Address
from curtainup.model.targets.docker import DockerEnvironment, DockerSettings
from curtainup.targets.spec import Resources, Switch, TargetSpec
from curtainup.util.references import Deferred


def _shares(outputs: Mapping[str, Any], _resources: Resources) -> dict[str, int]:
    """Return what the proxy was told."""
    return {str(one): int(share) for one, share in (outputs.get("traffic") or {}).items()}


def _places(resources: Resources) -> dict[str, Address]:
    """Return where each release's container is, those of a cut-off update too."""
    found = {}
    for resource in resources:
        inputs = resource.get("inputs") or {}
        if resource.get("type") != "docker:index/container:Container":
            continue
        names = {label["label"]: label["value"] for label in inputs.get("labels") or []}
        networks, ports = inputs.get("networksAdvanced") or [], inputs.get("ports") or []
        own = next((one["ipv4Address"] for one in networks if one.get("ipv4Address")), None)
        if "curtainup.release" in names and own and ports:
            found[names["curtainup.release"]] = Address(ip=own, port=int(ports[0]["external"]))
    return found


SPEC = TargetSpec(
    name="docker",
    environment=DockerEnvironment,
    settings=DockerSettings,
    bind=Deferred("curtainup.targets.docker.target:DockerTarget"),
    logs=Deferred("curtainup.targets.docker.logs:DockerLogs"),
    switch=Switch("curtainup:traffic:TrafficSwitch", _shares, is_last=True),
    places=_places,
    names_releases=True,
)
