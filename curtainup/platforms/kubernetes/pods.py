"""What the API server says of the pods of a release.

Follows `PodStatus` of the API and https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Object = Mapping[str, Any]
"""An object of the API, as its JSON has it."""


def name_of(thing: Object) -> str:
    """Return an object's name."""
    return str(thing["metadata"]["name"])


def condition(thing: Object, kind: str) -> Object | None:
    """Return a condition of an object's status; None if it has none of that type."""
    found = (thing.get("status") or {}).get("conditions") or ()
    return next((one for one in found if one.get("type") == kind), None)


def has(thing: Object, kind: str) -> bool:
    """Return whether a condition of an object's status is true."""
    found = condition(thing, kind)
    return found is not None and found.get("status") == "True"


def is_leaving(pod: Object) -> bool:
    """Return whether a pod is being deleted, or has ended."""
    ended = (pod.get("status") or {}).get("phase") in {"Succeeded", "Failed"}
    return ended or bool(pod["metadata"].get("deletionTimestamp"))


def is_ready(pod: Object) -> bool:
    """Return whether Services send requests to a pod."""
    return has(pod, "Ready") and not is_leaving(pod)


def node_of(pod: Object) -> str:
    """Return the name of the node that a pod is to run on; empty while there is none."""
    return str((pod.get("spec") or {}).get("nodeName") or "")


def is_taken_on(pod: Object) -> bool:
    """Return whether its node knows of a pod."""
    return bool((pod.get("status") or {}).get("startTime"))


def container_of(pod: Object, container: str) -> Object:
    """Return the status of a container; empty while there is none."""
    statuses = (pod.get("status") or {}).get("containerStatuses") or ()
    return next((one for one in statuses if one.get("name") == container), {})


def is_running(pod: Object, container: str) -> bool:
    """Return whether a container runs, ready or not."""
    return "running" in (container_of(pod, container).get("state") or {}) and not is_leaving(pod)


def answering(pods: Iterable[Object], container: str) -> list[str]:
    """Return the names of the pods that may answer, those that are ready first."""
    running = [one for one in pods if is_running(one, container)]
    return [name_of(one) for one in sorted(running, key=lambda one: not is_ready(one))]


def restarts(pod: Object, container: str) -> int:
    """Return how often a container was started again."""
    return int(container_of(pod, container).get("restartCount") or 0)


def last_end(pod: Object, container: str) -> Object | None:
    """Return how a container ended last, as `ContainerStateTerminated`; None if it never did."""
    status = container_of(pod, container)
    for state in (status.get("state") or {}, status.get("lastState") or {}):
        if "terminated" in state:
            found: Object = state["terminated"]
            return found
    return None


def waiting(pod: Object, container: str) -> Object:
    """Return what a container waits for, as `ContainerStateWaiting`; empty if it does not wait."""
    state = container_of(pod, container).get("state") or {}
    return state.get("waiting") or {}


def limit(pod: Object, container: str, resource: str) -> str:
    """Return a limit of a container, such as `512Mi`; empty if it has none."""
    containers = (pod.get("spec") or {}).get("containers") or ()
    found: Object = next((one for one in containers if one.get("name") == container), {})
    return str(((found.get("resources") or {}).get("limits") or {}).get(resource) or "")


def newest(events: Sequence[Object]) -> list[Object]:
    """Return events, the newest last."""
    return sorted(events, key=moment)


def moment(event: Object) -> str:
    """Return when an event happened last (UTC, sorts as text); empty if it does not say."""
    series = event.get("series") or {}
    times = (series.get("lastObservedTime"), event.get("lastTimestamp"), event.get("eventTime"))
    return str(next((one for one in times if one), event["metadata"].get("creationTimestamp") or ""))
