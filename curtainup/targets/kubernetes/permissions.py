"""What a deployment does on a cluster, and whether the deployer may: by SelfSubjectAccessReview.

docs/kubernetes.md has the same as a Role, which a test compares with this.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from curtainup.platforms.kubernetes.cluster import Cluster

AT_ONCE = 16
"""Questions that are asked at the same time."""
REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
_ALL = ("create", "delete", "get", "list", "patch", "watch")
_LOOK = ("get", "list", "watch")


@dataclass(frozen=True)
class Rule:
    """Something that is done with a kind of object.

    Attributes:
        group: its API group; empty is the core.
        resource: in the plural, with a subresource after a slash.
        verbs: what is done.
        everywhere: whether it is of the whole cluster, or has to be for namespaces that are made.
        gateways: whether only environments with a Gateway need it.
        schedules: whether only environments with schedules need it.
        explains: whether a deployment does without it, and only explains less when something is wrong.

    """

    group: str
    resource: str
    verbs: tuple[str, ...]
    everywhere: bool = False
    gateways: bool = False
    schedules: bool = False
    explains: bool = False


RULES = (
    Rule("", "namespaces", _ALL, everywhere=True),
    Rule("gateway.networking.k8s.io", "gatewayclasses", ("get", "list"), everywhere=True, gateways=True),
    Rule("", "serviceaccounts", _ALL),
    Rule("", "secrets", _ALL),
    Rule("", "services", _ALL),
    Rule("", "events", _LOOK),
    Rule("", "nodes", ("get",), everywhere=True, explains=True),
    Rule("", "pods", ("delete", "get", "list", "watch")),
    Rule("", "pods/log", ("get",)),
    Rule("", "pods/portforward", ("create", "get")),
    Rule("apps", "deployments", _ALL),
    Rule("apps", "replicasets", _LOOK),
    Rule("batch", "jobs", ("create", "delete", "deletecollection", "get", "list", "watch")),
    Rule("batch", "cronjobs", _ALL, schedules=True),
    Rule("batch", "cronjobs/status", ("patch",), schedules=True),
    Rule("policy", "poddisruptionbudgets", _ALL),
    Rule("autoscaling", "horizontalpodautoscalers", _ALL),
    Rule("gateway.networking.k8s.io", "gateways", _ALL, gateways=True),
    Rule("gateway.networking.k8s.io", "httproutes", _ALL, gateways=True),
)


def rules(*, gateways: bool, schedules: bool) -> list[Rule]:
    """Return what environments cannot do without.

    Args:
        gateways: whether one of them has a Gateway.
        schedules: whether one of them has schedules.

    """
    return [
        one
        for one in RULES
        if (gateways or not one.gateways) and (schedules or not one.schedules) and not one.explains
    ]


def missing(cluster: Cluster, namespace: str, wanted: Sequence[Rule]) -> list[str]:
    """Return what the deployer may not do, such as `create deployments.apps`.

    Args:
        cluster: where.
        namespace: of the environment, whether it is there or not.
        wanted: what the environment needs.

    """
    asked = [(rule, verb) for rule in wanted for verb in rule.verbs]
    with ThreadPoolExecutor(AT_ONCE) as pool:  # each is a question of its own
        allowed = list(pool.map(lambda one: _may(cluster, namespace, *one), asked))
    return [_name(rule, verb) for (rule, verb), may in zip(asked, allowed, strict=True) if not may]


def count(wanted: Sequence[Rule]) -> int:
    """Return how many permissions are asked about."""
    return sum(len(rule.verbs) for rule in wanted)


def _may(cluster: Cluster, namespace: str, rule: Rule, verb: str) -> bool:
    resource, _, part = rule.resource.partition("/")
    wanted = {"group": rule.group, "resource": resource, "subresource": part, "verb": verb}
    attributes = wanted if rule.everywhere else {**wanted, "namespace": namespace}
    review: dict[str, Any] = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": attributes},
    }
    return bool((cluster.create(REVIEWS, review).get("status") or {}).get("allowed"))


def _name(rule: Rule, verb: str) -> str:
    return f"{verb} {rule.resource}{'.' + rule.group if rule.group else ''}"
