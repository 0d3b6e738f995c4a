"""Kubernetes as a target: any conformant cluster, by its kubeconfig."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from curtainup.model.targets.kubernetes import KubernetesEnvironment, KubernetesSettings
from curtainup.platforms.docker.labels import RELEASE
from curtainup.setup import extras
from curtainup.targets.spec import Resources, Switch, TargetSpec
from curtainup.util.references import Deferred

ROUTE = "kubernetes:gateway.networking.k8s.io/v1:HTTPRoute"
SERVICE = "kubernetes:core/v1:Service"


def _parts(route: Mapping[str, Any], kind: str) -> list[Mapping[str, Any]]:
    rules = (route.get("spec") or {}).get("rules") or ()
    return [one for rule in rules for one in rule.get(kind) or ()]


def _splits(resource: Mapping[str, Any]) -> bool:
    """Return whether a route leads to releases, once one has traffic; the other one redirects to HTTPS."""
    route = resource.get("outputs") or resource.get("inputs") or {}
    return all(one.get("type") != "RequestRedirect" for one in _parts(route, "filters"))


def weights(route: Mapping[str, Any], _resources: Resources = ()) -> dict[str, int]:
    """Return the weight of each release's Service in a route; its name ends with the release's id."""
    return {
        str(one["name"]).rpartition("-")[2]: int(one.get("weight", 1)) for one in _parts(route, "backendRefs")
    }


def _is_front(resource: Mapping[str, Any]) -> bool:
    """Return whether a Service leads to whichever release has the traffic: it is none of a release's own."""
    outputs = resource.get("outputs") or resource.get("inputs") or {}
    return RELEASE not in ((outputs.get("metadata") or {}).get("labels") or {})


def selected(service: Mapping[str, Any], _resources: Resources = ()) -> dict[str, int] | None:
    """Return the release whose pods a Service selects, with all traffic; `none` selects none."""
    found = str(((service.get("spec") or {}).get("selector") or {}).get(RELEASE) or "none")
    return None if found == "none" else {found: 100}


READY_SECONDS = 300

SPEC = TargetSpec(
    name="kubernetes",
    environment=KubernetesEnvironment,
    settings=KubernetesSettings,
    bind=Deferred("curtainup.targets.kubernetes.target:KubernetesTarget"),
    logs=Deferred("curtainup.targets.kubernetes.logs:KubernetesLogs"),
    switch=Switch(
        ROUTE, weights, is_last=True, is_it=_splits, otherwise=Switch(SERVICE, selected, is_it=_is_front)
    ),
    checks=Deferred("curtainup.targets.kubernetes.checks:of_service"),
    extra=extras.KUBERNETES,
    on_cluster=True,
    ready_seconds=READY_SECONDS,
)
