"""The processes of the release that works, on a cluster: a Deployment for each, the same for all releases."""

from __future__ import annotations

from typing import Any

from components.kubernetes import pod
from components.kubernetes.manifest import UNAWAITED
from components.kubernetes.names import labels, process_labels, process_selector, runtime
from curtainup.model.process import Process
from curtainup.model.release import Release
from curtainup.model.targets.kubernetes import KubernetesEnvironment

HEALTH_PERIOD, HEALTH_TIMEOUT, NEVER_KILLED = 2, 30, 1_000_000
"""The health command runs every so many seconds, may take so many, and never kills a pod by failing."""


def deployment(
    settings: KubernetesEnvironment, release: Release, process: Process, secrets: list[str]
) -> dict[str, Any]:
    """Return the pods of a process. Another release changes it, so that the cluster replaces its pods.

    With the strategy Recreate a new pod comes once no old one runs any more.

    Args:
        settings: of the environment.
        release: the one that works.
        process: one of its processes.
        secrets: the names of its secret variables.

    """
    beside = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "100%", "maxUnavailable": 0}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": settings.process_workload(process.name),
            "namespace": settings.namespace,
            "labels": {**labels(settings), **process_selector(settings, process)},
            "annotations": dict(UNAWAITED),
        },
        "spec": {
            "replicas": process.count,
            "revisionHistoryLimit": 1,
            "selector": {"matchLabels": process_selector(settings, process)},
            "strategy": beside if process.overlap else {"type": "Recreate"},
            "template": {
                "metadata": {"labels": process_labels(settings, release, process)},
                "spec": _spec(settings, release, process, secrets),
            },
        },
    }


def _spec(
    settings: KubernetesEnvironment, release: Release, process: Process, secrets: list[str]
) -> dict[str, Any]:
    """Return what the pods run with. Their command is not process 1, which would ignore SIGTERM."""
    own = runtime(release)
    return {
        **pod.identity(settings),
        "shareProcessNamespace": True,
        "terminationGracePeriodSeconds": process.stop_timeout,
        "securityContext": pod.pod_security(own),
        "containers": [_container(settings, release, process, secrets)],
        **pod.volumes(own),
    }


def _container(
    settings: KubernetesEnvironment, release: Release, process: Process, secrets: list[str]
) -> dict[str, Any]:
    container = pod.beside(settings, release, process.command, secrets, process.memory_mb, process.cpus)
    if process.health:
        container["startupProbe"] = {
            "exec": {"command": list(process.health)},
            "periodSeconds": HEALTH_PERIOD,
            "timeoutSeconds": HEALTH_TIMEOUT,
            "failureThreshold": NEVER_KILLED,
        }
    return container
