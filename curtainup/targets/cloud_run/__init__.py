"""Google Cloud Run as a target."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from curtainup.model.targets.cloud_run import CloudRunEnvironment, CloudRunSettings
from curtainup.setup import extras
from curtainup.targets.artifact_registry import ARTIFACT_REGISTRY
from curtainup.targets.spec import Resources, Switch, TargetSpec
from curtainup.util.references import Deferred

SERVICE = "gcp:cloudrunv2/service:Service"
PUBLIC_ACCESS = "gcp:cloudrunv2/serviceIamMember:ServiceIamMember"
"""The type of what lets everybody call a service whose own setting does not."""


def _shares(outputs: Mapping[str, Any], resources: Resources) -> dict[str, int] | None:
    """Return what each tag gets; nothing has traffic that the public may not call."""
    granted = any(one.get("type") == PUBLIC_ACCESS for one in resources)
    if not granted and not outputs.get("invokerIamDisabled"):
        return None
    shares: dict[str, int] = {}
    for one in outputs.get("trafficStatuses") or ():
        if one.get("tag"):
            shares[one["tag"]] = shares.get(one["tag"], 0) + int(one.get("percent") or 0)
    return shares


def _rendered(resources: Resources) -> str:
    """Return the id of the release that the service's template is, by its revision's name."""
    services = [one for one in resources if one.get("type") == SERVICE and not one.get("delete")]
    template = (services[0].get("inputs") or {}).get("template") if services else None
    revision = template.get("revision") if isinstance(template, Mapping) else None
    return str(revision or "").rpartition("-")[2]


READY_SECONDS = 600

SPEC = TargetSpec(
    name="gcp-cloud-run",
    environment=CloudRunEnvironment,
    settings=CloudRunSettings,
    bind=Deferred("curtainup.targets.cloud_run.target:CloudRunTarget"),
    logs=Deferred("curtainup.targets.cloud_run.logs:CloudRunLogs"),
    switch=Switch(SERVICE, _shares),
    rendered=_rendered,
    registry=ARTIFACT_REGISTRY,
    checks=Deferred("curtainup.targets.cloud_run.checks:of_service"),
    extra=extras.GCP,
    ready_seconds=READY_SECONDS,
    standin="gcp",
    keep=5,
    reuses_ids=False,
    routes_by_host=True,
)
