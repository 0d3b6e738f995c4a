"""The manifests of what an environment and its releases have in the namespace, but for the way in."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

import pulumi

from components.kubernetes.manifest import CORE, UNAWAITED
from components.kubernetes.names import labels, runtime, secret, selector
from components.kubernetes.pod import PORT, template
from curtainup.model.release import Release
from curtainup.model.targets.kubernetes import KubernetesEnvironment

SERVICE_PORT = 80
START_SECONDS = 600
"""Seconds that pods may take besides their start: for a node, and for the image."""
SHRINK_AFTER, SHRINK_PERCENT, SHRINK_EVERY = 300, 10, 60
"""An autoscaler takes pods away slowly: a release that gets all traffic at once must find them there."""

Manifest = dict[str, Any]


def namespace(settings: KubernetesEnvironment) -> Manifest:
    """Return the environment's namespace, in which only pods without privileges may be."""
    return {
        "apiVersion": CORE,
        "kind": "Namespace",
        "metadata": {
            "name": settings.namespace,
            "labels": {**labels(settings), "pod-security.kubernetes.io/enforce": "restricted"},
        },
    }


def account(settings: KubernetesEnvironment, pull_secret: pulumi.Input[str] | None) -> Manifest:
    """Return the identity of the pods, which is allowed nothing, and pulls their image."""
    pulling = {} if pull_secret is None else {"imagePullSecrets": [{"name": pull_secret}]}
    return {
        "apiVersion": CORE,
        "kind": "ServiceAccount",
        "metadata": _metadata(settings, settings.service),
        "automountServiceAccountToken": False,
        **pulling,
    }


def pull_secret(settings: KubernetesEnvironment, data: pulumi.Input[Any]) -> Manifest:
    """Return the copy of the login to the registry."""
    return {
        "apiVersion": CORE,
        "kind": "Secret",
        "metadata": _metadata(settings, f"{settings.service}-registry"),
        "type": "kubernetes.io/dockerconfigjson",
        "data": pulumi.Output.secret(data),
    }


def secrets(
    settings: KubernetesEnvironment, release: Release, values: Mapping[str, pulumi.Output[str]]
) -> Manifest:
    """Return the Secret with the secrets of a release, and of each other that has the same."""
    return {
        "apiVersion": CORE,
        "kind": "Secret",
        "metadata": _metadata(settings, secret(settings, release)),
        "immutable": True,
        "data": pulumi.Output.secret(pulumi.Output.all(**values).apply(_encoded)),
    }


def deployment(settings: KubernetesEnvironment, release: Release, secret_names: list[str]) -> Manifest:
    """Return the pods of a release, of which no fewer serve while they are replaced."""
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": _metadata(settings, settings.workload(release.id), release, UNAWAITED),
        "spec": {
            "replicas": settings.min_replicas,
            "revisionHistoryLimit": 1,
            "progressDeadlineSeconds": runtime(release).start_timeout + START_SECONDS,
            "selector": {"matchLabels": selector(settings, release.id)},
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
            "template": template(settings, release, secret_names),
        },
    }


def service(settings: KubernetesEnvironment, release: Release) -> Manifest:
    """Return where the pods of a release are reached inside the cluster."""
    return {
        "apiVersion": CORE,
        "kind": "Service",
        "metadata": _metadata(settings, settings.workload(release.id), release, UNAWAITED),
        "spec": {"type": "ClusterIP", "selector": selector(settings, release.id), "ports": _ports()},
    }


def front_service(settings: KubernetesEnvironment, serving: str) -> Manifest:
    """Return the Service that leads to the pods of one release, or to none."""
    return {
        "apiVersion": CORE,
        "kind": "Service",
        "metadata": _metadata(settings, settings.service, None, UNAWAITED),
        "spec": {"type": "ClusterIP", "selector": selector(settings, serving), "ports": _ports()},
    }


def disruption_budget(settings: KubernetesEnvironment, release: Release) -> Manifest:
    """Return the promise that one pod of a release goes at a time when nodes are emptied."""
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": _metadata(settings, settings.workload(release.id), release),
        "spec": {"maxUnavailable": 1, "selector": {"matchLabels": selector(settings, release.id)}},
    }


def autoscaler(settings: KubernetesEnvironment, release: Release) -> Manifest:
    """Return what lets the number of a release's pods follow their load."""
    load = {"type": "Utilization", "averageUtilization": settings.autoscale_cpu}
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": _metadata(settings, settings.workload(release.id), release),
        "spec": {
            "scaleTargetRef": {
                "apiVersion": "apps/v1",
                "kind": "Deployment",
                "name": settings.workload(release.id),
            },
            "minReplicas": settings.min_replicas,
            "maxReplicas": settings.max_replicas,
            "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": load}}],
            "behavior": {
                "scaleDown": {
                    "stabilizationWindowSeconds": SHRINK_AFTER,
                    "policies": [
                        {"type": "Percent", "value": SHRINK_PERCENT, "periodSeconds": SHRINK_EVERY},
                    ],
                }
            },
        },
    }


def _metadata(
    settings: KubernetesEnvironment,
    name: str,
    release: Release | None = None,
    annotations: Mapping[str, str] | None = None,
) -> Manifest:
    found: Manifest = {"name": name, "namespace": settings.namespace, "labels": labels(settings, release)}
    return {**found, "annotations": dict(annotations)} if annotations else found


def _ports() -> list[Manifest]:
    return [{"name": PORT, "port": SERVICE_PORT, "targetPort": PORT, "protocol": "TCP"}]


def _encoded(values: Mapping[str, str]) -> dict[str, str]:
    return {name: base64.b64encode(value.encode()).decode() for name, value in values.items()}
