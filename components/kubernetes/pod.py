"""The pod template of a release: everything that its containers run with, from the release alone.

Pure functions of a release, so that no change of the environment ever restarts its pods.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from components.kubernetes.names import pod_labels, runtime, secret, selector
from curtainup.model.release import Release
from curtainup.model.release_settings import variables
from curtainup.model.targets.kubernetes import (
    CONTAINER,
    KubernetesEnvironment,
    KubernetesSettings,
    unexpanded,
)

PORT = "http"
REQUESTED_CPUS = 0.1
"""Processors that a container without a limit asks for, as a scheduler counts on something."""
START_PERIOD, READY_PERIOD, LIVE_PERIOD = 1, 2, 10
"""Seconds between two probes."""
READY_FAILURES, LIVE_FAILURES = 3, 6
_SPREAD_OVER = ("kubernetes.io/hostname", "topology.kubernetes.io/zone")


def template(settings: KubernetesEnvironment, release: Release, secrets: list[str]) -> dict[str, Any]:
    """Return the pod template of a release.

    Args:
        settings: of the environment, of which the names count alone.
        release: what the pods run.
        secrets: the names of its secret variables.

    """
    own = runtime(release)
    return {
        "metadata": {"labels": pod_labels(settings, release)},
        "spec": {
            **identity(settings),
            "terminationGracePeriodSeconds": grace(own),
            "topologySpreadConstraints": [
                {
                    "maxSkew": 1,
                    "topologyKey": key,
                    "whenUnsatisfiable": "ScheduleAnyway",
                    "labelSelector": {"matchLabels": selector(settings, release.id)},
                }
                for key in _SPREAD_OVER
            ],
            "securityContext": pod_security(own),
            "containers": [_container(settings, release, secrets)],
            **volumes(own),
        },
    }


def identity(settings: KubernetesEnvironment) -> dict[str, Any]:
    """Return who the pods of an environment are on the cluster: nobody that may do anything."""
    return {
        "serviceAccountName": settings.service,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
    }


def pod_security(own: KubernetesSettings) -> dict[str, Any]:
    """Return what holds a pod in bounds."""
    return {
        "runAsNonRoot": True,
        "seccompProfile": {"type": "RuntimeDefault"},
        **({"runAsUser": own.run_as_user} if own.run_as_user else {}),
    }


def container_security(own: KubernetesSettings) -> dict[str, Any]:
    """Return what holds a container in bounds."""
    return {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": own.read_only,
    }


def volumes(own: KubernetesSettings) -> dict[str, Any]:
    """Return the volumes of a pod: one where it may write, if it may not do so elsewhere."""
    return {"volumes": [{"name": "tmp", "emptyDir": {}}]} if own.read_only else {}


def mounts(own: KubernetesSettings) -> dict[str, Any]:
    """Return where a container has these volumes."""
    where = [{"name": "tmp", "mountPath": "/tmp"}]  # noqa: S108 - the container's own
    return {"volumeMounts": where} if own.read_only else {}


def grace(own: KubernetesSettings) -> int:
    """Return how many seconds a pod may take to stop: it goes on serving first, then gets SIGTERM."""
    return own.drain_timeout + own.stop_timeout


def cpu_quantity(cpus: float) -> str:
    """Return processors as the cluster writes them: `2`, or in thousandths `1500m`."""
    thousandths = max(1, round(cpus * 1000))
    return f"{thousandths}m" if thousandths % 1000 else str(thousandths // 1000)


def memory_quantity(mebibytes: int) -> str:
    """Return memory as the cluster writes it: in the largest unit that leaves a whole number."""
    amount, units = mebibytes, ["Mi", "Gi", "Ti"]
    while amount % 1024 == 0 and len(units) > 1:
        amount, units = amount // 1024, units[1:]
    return f"{amount}{units[0]}"


def _container(settings: KubernetesEnvironment, release: Release, secrets: list[str]) -> dict[str, Any]:
    own = runtime(release)
    container = {
        "name": CONTAINER,
        "image": release.image,
        "imagePullPolicy": "IfNotPresent",
        "ports": [{"name": PORT, "containerPort": own.container_port, "protocol": "TCP"}],
        "env": environment(settings, release, secrets),
        "resources": resources(own.memory_mb, own.cpus),
        "startupProbe": _probe(own, START_PERIOD, own.start_timeout),
        "readinessProbe": _probe(own, READY_PERIOD, READY_FAILURES),
        "livenessProbe": _probe(own, LIVE_PERIOD, LIVE_FAILURES),
        "securityContext": container_security(own),
        **mounts(own),
    }
    if own.drain_timeout:
        container["lifecycle"] = {"preStop": {"sleep": {"seconds": own.drain_timeout}}}
    return container


def environment(
    settings: KubernetesEnvironment, release: Release, secrets: list[str]
) -> list[dict[str, Any]]:
    """Return the variables in the order of their names."""
    found: dict[str, dict[str, Any]] = {
        name: {"name": name, "value": unexpanded(value)}
        for name, value in variables(release.settings, release.version).items()
    }
    for name in secrets:
        reference = {"name": secret(settings, release), "key": name}
        found[name] = {"name": name, "valueFrom": {"secretKeyRef": reference}}
    return [found[name] for name in sorted(found)]


def beside(
    settings: KubernetesEnvironment,
    release: Release,
    command: Sequence[str],
    secrets: list[str],
    memory_mb: int,
    cpus: float | None,
) -> dict[str, Any]:
    """Return the container of a command that runs beside the service, from the release's image.

    Args:
        settings: of the environment.
        release: the one that works.
        command: its words, in the place of the image's CMD.
        secrets: the names of its secret variables.
        memory_mb: limit of its memory, MiB.
        cpus: limit in CPU cores, or None for no limit.

    """
    own = runtime(release)
    return {
        "name": CONTAINER,
        "image": release.image,
        "imagePullPolicy": "IfNotPresent",
        "args": [unexpanded(word) for word in command],
        "env": environment(settings, release, secrets),
        "resources": resources(memory_mb, cpus),
        "securityContext": container_security(own),
        **mounts(own),
    }


def resources(memory_mb: int, cpus: float | None) -> dict[str, dict[str, str]]:
    """Return what a container asks for and may take: the same, but processors without a limit."""
    memory = {"memory": memory_quantity(memory_mb)}
    limits = memory if cpus is None else {"cpu": cpu_quantity(cpus), **memory}
    return {"requests": {"cpu": cpu_quantity(cpus or REQUESTED_CPUS), **memory}, "limits": limits}


def _probe(own: KubernetesSettings, period: int, failures: int) -> dict[str, Any]:
    request: dict[str, Any] = {"path": own.health_path, "port": own.container_port, "scheme": "HTTP"}
    if own.probe_headers:
        request["httpHeaders"] = [
            {"name": name, "value": value} for name, value in sorted(own.probe_headers.items())
        ]
    return {
        "httpGet": request,
        "periodSeconds": period,
        "timeoutSeconds": own.health_timeout,
        "failureThreshold": failures,
    }
