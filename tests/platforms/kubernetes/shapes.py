"""Objects as the API server gives them, with what is read of them; recorded on Kubernetes 1.34."""

from __future__ import annotations

from typing import Any

IMAGE = "127.0.0.1:5000/shop@sha256:" + "d" * 64
CONTAINER = "app"


def deployment(
    replicas: int = 1, *, generation: int = 1, observed: int = 1, failure: str = "", was_whole: bool = False
) -> dict[str, Any]:
    """Return a Deployment; `failure` is why no pod can be made."""
    condition = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": failure}
    reason = "NewReplicaSetAvailable" if was_whole else "ReplicaSetUpdated"
    progressing = {"type": "Progressing", "status": "True", "reason": reason, "message": "progresses"}
    return {
        "metadata": {"name": "shop-r1", "generation": generation},
        "spec": {"replicas": replicas},
        "status": {
            "observedGeneration": observed,
            "conditions": [progressing, *([condition] if failure else [])],
        },
    }


def pod(name: str = "shop-r1-a", **status: Any) -> dict[str, Any]:
    """Return a pod that runs, and is ready."""
    return {
        "metadata": {"name": name, "labels": {"curtainup.release": "r1"}},
        "spec": {
            "containers": [{"name": CONTAINER, "resources": {"limits": {"memory": "128Mi"}}}],
            "securityContext": {"runAsUser": 10001},
        },
        "status": {
            "phase": "Running",
            "conditions": [{"type": "Ready", "status": "True"}],
            "containerStatuses": [container({"running": {"startedAt": "2026-11-29T04:00:00Z"}})],
            **status,
        },
    }


def container(state: dict[str, Any], restarts: int = 0, last: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return the status of the service's container."""
    return {"name": CONTAINER, "state": state, "lastState": last or {}, "restartCount": restarts}


def unready(state: dict[str, Any], restarts: int = 0, last: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return a pod whose container is in a state, and is not ready."""
    return pod(
        phase="Pending" if "waiting" in state else "Running",
        conditions=[{"type": "PodScheduled", "status": "True"}, {"type": "Ready", "status": "False"}],
        containerStatuses=[container(state, restarts, last)],
    )


def waiting(reason: str, message: str = "", **more: Any) -> dict[str, Any]:
    """Return a pod whose container waits for something."""
    return unready({"waiting": {"reason": reason, "message": message}}, **more)


def ended(code: int, reason: str = "Error", message: str = "") -> dict[str, Any]:
    """Return the state of a container that has ended."""
    return {"terminated": {"exitCode": code, "reason": reason, "message": message}}


def unschedulable(message: str) -> dict[str, Any]:
    """Return a pod for which no node has room."""
    condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}
    return pod(phase="Pending", conditions=[condition], containerStatuses=[])


def given_to(node: str, *, taken_on: bool, name: str = "shop-r1-a") -> dict[str, Any]:
    """Return a pod that has a node, which has not told of it since, or ever."""
    conditions = [{"type": "PodScheduled", "status": "True"}, {"type": "Ready", "status": "False"}]
    state = {"running": {"startedAt": "2026-11-29T04:00:00Z"}}
    told = {"startTime": "2026-11-29T04:00:00Z", "containerStatuses": [container(state)]}
    status = told if taken_on else {"phase": "Pending", "containerStatuses": []}
    made = pod(name, conditions=conditions if taken_on else conditions[:1], **status)
    made["spec"]["nodeName"] = node
    return made


def node(name: str, ready: str = "True", message: str = "") -> dict[str, Any]:
    """Return a node; `ready` is `Unknown` if its kubelet does not renew its state."""
    condition = {"type": "Ready", "status": ready, "message": message}
    return {"metadata": {"name": name}, "status": {"conditions": [condition]}}


def event(
    reason: str, message: str, name: str = "shop-r1-a", at: str = "2026-11-29T04:00:00Z"
) -> dict[str, Any]:
    """Return a warning about a pod."""
    return {
        "metadata": {"name": f"{name}.1", "creationTimestamp": at},
        "involvedObject": {"kind": "Pod", "name": name},
        "type": "Warning",
        "reason": reason,
        "message": message,
        "lastTimestamp": at,
    }
