"""What is wrong with a release whose pods do not get ready, and whether waiting may help.

The kubelet's and the controllers' reasons are those of Kubernetes' own sources:
`pkg/kubelet/images/types.go`, `pkg/kubelet/container/sync_result.go`, `pkg/kubelet/events/event.go`,
`pkg/controller/replicaset`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from curtainup.platforms.kubernetes import nodes, pods
from curtainup.platforms.kubernetes.pods import Object

AT_ONCE, SOON, LATER = 0.0, 5.0, 8.0
"""Seconds for which something has to be wrong until nobody waits for it to go away by itself."""
NEVER = float("inf")
UNSCHEDULABLE, NODE = "unschedulable", "node"
"""The keys of the findings that no node has room for a pod, and that its node does not answer."""
COMPLETE = "NewReplicaSetAvailable"
"""The reason of a Deployment's condition `Progressing` from when all of its pods were ready first."""
SCHEDULED_FAILED, SCALING_UP, UNHEALTHY = "FailedScheduling", "TriggeredScaleUp", "Unhealthy"
"""Reasons of events: no node fits a pod, a node is being added for it, and a probe of it failed."""

_GONE = re.compile(
    r"not found|manifest unknown|no such manifest|unauthorized|denied|forbidden|authentication required"
    r"|no basic auth|invalid reference|repository does not exist|no match for platform",
    re.IGNORECASE,
)
_NOT_LET_IN = re.compile(
    r"unauthorized|denied|forbidden|authentication required|no basic auth", re.IGNORECASE
)
_PULLED = {"ErrImagePull", "ImagePullBackOff", "RegistryUnavailable", "ImageInspectError"}
_BAD_NAME = {"InvalidImageName", "ErrImageNeverPull"}
_CONFIGURED = {
    "CreateContainerConfigError",
    "CreateContainerError",
    "RunContainerError",
    "PreCreateHookError",
}
NOT_STARTED = {"StartError", "ContainerCannotRun"}
_AS_ROOT = re.compile(r"runAsNonRoot|non-numeric user|will run as root")
_SECRETS = re.compile(r'(secret|configmap) "[^"]+" not found')


@dataclass(frozen=True)
class Finding:
    """Something that is wrong.

    Attributes:
        key: the same while the same thing is wrong.
        what: in one sentence.
        fix: what mends it.
        lasts: seconds for which it has to be so until it is certain; `NEVER` is only told in the end.
        pod: the pod that shows it; empty if none does.
        exited: whether the container has ended, so that its log says more.
        detail: the cluster's own words; empty if `what` has them.

    """

    key: str
    what: str
    fix: str
    lasts: float = AT_ONCE
    pod: str = ""
    exited: bool = False
    detail: str = ""


@dataclass(frozen=True)
class Seen:
    """What was seen of a release at one moment.

    Attributes:
        deployment: the release's Deployment.
        pods: the release's pods.
        events: of these pods; empty where nobody has asked.
        container: the name of the service's container.
        image: the release's image.
        port: the value of PORT.
        nodes: by name, those that may keep pods from being ready; empty where nobody has asked.

    """

    deployment: Object
    pods: Sequence[Object]
    events: Sequence[Object]
    container: str
    image: str
    port: int
    nodes: Mapping[str, Object] = field(default_factory=dict)

    @property
    def wanted(self) -> int:
        """How many pods the release is to have."""
        return int((self.deployment.get("spec") or {}).get("replicas", 1))

    @property
    def ready(self) -> int:
        """How many of its pods are ready."""
        return sum(1 for one in self.pods if pods.is_ready(one))

    @property
    def was_whole(self) -> bool:
        """Whether all of its pods were ready once, so that a pod which is not may be passing."""
        return (pods.condition(self.deployment, "Progressing") or {}).get("reason") == COMPLETE

    @property
    def lost(self) -> list[Object]:
        """The pods that are not ready, or do not go, as their nodes do not answer."""
        gone = {name for name, node in self.nodes.items() if nodes.trouble(node) is not None}
        return [one for one in self.pods if pods.node_of(one) in gone and not pods.is_ready(one)]

    def has_enough(self, spare: int) -> bool:
        """Return whether it has as many ready pods as it needs: `spare` fewer if it was whole once."""
        return self.is_taken_on and self.ready >= max(1, self.wanted - (spare if self.was_whole else 0))

    @property
    def is_taken_on(self) -> bool:
        """Whether the cluster has begun to make the release as it is declared now."""
        generation = self.deployment["metadata"].get("generation") or 0
        return int((self.deployment.get("status") or {}).get("observedGeneration") or 0) >= int(generation)

    def events_of(self, pod: str, reason: str) -> list[Object]:
        """Return the events of a pod with a reason, the newest last."""
        found = [
            one
            for one in self.events
            if one.get("reason") == reason and (one.get("involvedObject") or {}).get("name") == pod
        ]
        return pods.newest(found)


def findings(seen: Seen) -> list[Finding]:
    """Return everything that is wrong, what is most certain first."""
    found = [*_of_deployment(seen)]
    for pod in seen.pods:
        found += _of_pod(seen, pod)
    return sorted(found, key=lambda one: one.lasts)


def refusal(message: str) -> Finding:
    """Return why a controller cannot even make a pod: a quota, Pod Security, a webhook, or else."""
    key = "refused"
    if "exceeded quota" in message:
        return Finding(
            key,
            f"the namespace's quota does not allow its pods: {_after(message, 'exceeded quota: ')}",
            "ask for more quota, or lower replicas, memory_limit or cpus in pym-config.yaml",
            SOON,
        )
    if "violates PodSecurity" in message:
        return Finding(
            key,
            "the namespace's Pod Security level refuses its pods: "
            + _after(message, "violates PodSecurity "),
            "let the service do without what is refused; run_as_user sets the user that it runs as",
        )
    if "admission webhook" in message and "denied the request" in message:
        said = _after(message, "denied the request: ")
        return Finding(key, f"the cluster's policy refuses its pods: {said}", "do what the policy says")
    if "failed calling webhook" in message:
        return Finding(
            key,
            "an admission webhook of the cluster does not answer, so no pod can be made",
            "have whoever runs the cluster mend the webhook, then deploy again",
            LATER,
            detail=message,
        )
    return Finding(key, f"the cluster makes no pods: {message}", "see what the cluster says", SOON)


def _of_deployment(seen: Seen) -> Iterator[Finding]:
    found = pods.condition(seen.deployment, "ReplicaFailure")
    if found is not None and found.get("status") == "True":
        yield refusal(str(found.get("message") or ""))


def _of_pod(seen: Seen, pod: Object) -> Iterator[Finding]:
    name = pods.name_of(pod)
    if (pod.get("status") or {}).get("phase") == "Failed":
        status = pod["status"]
        yield Finding(
            f"failed {status.get('reason')}",
            f"a pod was ended: {status.get('reason')}: {status.get('message')}",
            "give the nodes more room, or lower memory_limit; the cluster makes another pod",
            NEVER,
            name,
        )
        return
    if pods.is_leaving(pod) or pods.is_ready(pod):
        return
    yield from _unscheduled(seen, pod)
    if (left := _left_alone(seen, pod)) is not None:
        yield left
        return
    waits = pods.waiting(pod, seen.container)
    reason, message = str(waits.get("reason") or ""), str(waits.get("message") or "")
    if reason in _PULLED or reason in _BAD_NAME:
        yield _unpulled(seen, name, reason, message)
    elif reason in _CONFIGURED:
        yield _unmade(name, message)
    elif (ended := _ended(seen, pod)) is not None:
        yield ended
    else:
        yield from _failing(seen, pod)


def _unscheduled(seen: Seen, pod: Object) -> Iterator[Finding]:
    found = pods.condition(pod, "PodScheduled")
    if found is None or found.get("status") != "False" or found.get("reason") != "Unschedulable":
        return
    name = pods.name_of(pod)
    grows = bool(seen.events_of(name, SCALING_UP))
    yield Finding(
        UNSCHEDULABLE,
        f"no node has room for a pod: {found.get('message')}",
        "add nodes, or lower memory_limit, cpus or replicas in pym-config.yaml"
        + ("; a node is being added, which start_timeout may be too short for" if grows else ""),
        NEVER if grows else LATER,
        name,
    )


def _left_alone(seen: Seen, pod: Object) -> Finding | None:
    """Return that a pod's node does not answer; the cluster has waited for it until it says so."""
    name, node = pods.name_of(pod), pods.node_of(pod)
    wrong = nodes.trouble(seen.nodes[node]) if node in seen.nodes else None
    if wrong is not None:
        return Finding(
            NODE,
            f"{wrong} A pod of the release is to run there.",
            "run the command again: new pods go to other nodes, and after 5 minutes the older ones do too. "
            "Have whoever runs the cluster mend the node, or remove it",
            LATER,
            name,
        )
    if node and not pods.is_taken_on(pod):
        what = f"the node {node} has not taken on a pod of the release"
        return Finding(NODE, what, "see whether the node works: kubectl get nodes", NEVER, name)
    return None


def _unpulled(seen: Seen, pod: str, reason: str, message: str) -> Finding:
    certain = reason in _BAD_NAME or bool(_GONE.search(message))
    refused = _NOT_LET_IN.search(message)
    fix = (
        "let the cluster log in to the registry: image_pull_secret in pym-config.yaml"
        if refused
        else "check that the cluster's nodes reach the registry in docker_repo, and that the image is there"
    )
    return Finding(
        "image",
        f"the cluster cannot pull the image {seen.image}",
        fix,
        AT_ONCE if certain else LATER,
        pod,
        detail=message or reason,
    )


def _not_started(pod: str, message: str) -> Finding:
    said = message[message.find("exec: ") :] if "exec: " in message else message
    return Finding(
        "exited",
        f"the container's command cannot be started: {said}",
        "check CMD in the Dockerfile, and that its program is installed",
        pod=pod,
    )


def _unmade(pod: str, message: str) -> Finding:
    if "exec: " in message:
        return _not_started(pod, message)
    if _AS_ROOT.search(message):
        fix = (
            "write a number in USER in the Dockerfile, or set run_as_user in pym-config.yaml: no container "
            "runs as root here"
        )
        return Finding("config", f"the cluster refuses to start the container: {message}", fix, pod=pod)
    if _SECRETS.search(message):
        fix = "deploy again: the update makes it anew"
        return Finding("config", f"something that the container needs is gone: {message}", fix, SOON, pod)
    return Finding(
        "config", f"the container cannot be started: {message}", "see what the cluster says", SOON, pod
    )


def _ended(seen: Seen, pod: Object) -> Finding | None:
    end = pods.last_end(pod, seen.container)
    if end is None:
        return None
    name, reason = pods.name_of(pod), str(end.get("reason") or "")
    if reason in NOT_STARTED:
        return _not_started(name, str(end.get("message") or reason))
    if reason == "OOMKilled":
        size = pods.limit(pod, seen.container, "memory")
        return Finding(
            "exited",
            f"the release's container was killed: it used more than its {size or 'node has'} of memory",
            "raise `memory_limit` in pym-config.yaml, or make the service need less",
            pod=name,
            exited=True,
        )
    exited = Finding("exited", "the release's container exited", "", pod=name, exited=True)
    return _killed_by_probe(seen, name) or exited


def _killed_by_probe(seen: Seen, pod: str) -> Finding | None:
    """Return what a probe says for which the kubelet ended a container."""
    ended = [one for one in seen.events_of(pod, "Killing") if "probe" in str(one.get("message"))]
    failed = seen.events_of(pod, UNHEALTHY)
    if not ended or not failed:
        return None
    return Finding(
        "probe",
        f"the cluster ended the container, as it did not get ready: {_short(failed[-1])}",
        "make the health path answer 200 in time, or raise start_timeout in pym-config.yaml",
        pod=pod,
        exited=True,
    )


def _failing(seen: Seen, pod: Object) -> Iterator[Finding]:
    """Tell of a probe that fails while the container runs: only the end of the wait makes that certain."""
    found = seen.events_of(pods.name_of(pod), UNHEALTHY)
    if found:
        yield Finding(
            "probe", _short(found[-1]), _fix_of_probe(seen, _short(found[-1])), NEVER, pods.name_of(pod)
        )


def _fix_of_probe(seen: Seen, said: str) -> str:
    if "connection refused" in said:
        return f"make the service listen on 0.0.0.0 and the port in the variable PORT ({seen.port})"
    if "statuscode: 400" in said or "statuscode: 403" in said:
        return "let the service serve the host that the probe sends (health_host), or exempt the health path"
    return "make the health path answer 200, or give it more time: `start_timeout` in pym-config.yaml"


def _short(event: Object) -> str:
    return str(event.get("message") or "").strip()


def _after(message: str, mark: str) -> str:
    return message.partition(mark)[2] or message
