"""Pods that never get ready on a real cluster: each is told for what it is, long before `start_timeout`."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from curtainup.errors import ReleaseUnhealthy
from curtainup.model.trouble import Trouble
from curtainup.platforms.kubernetes.clusters import Clusters
from curtainup.platforms.kubernetes.release import Place, ReleasePods
from tests.e2e.kube_cluster import applied, cluster, image, kubectl

if TYPE_CHECKING:
    from curtainup.setup.cluster.models import Cluster

__all__ = ["cluster", "image"]

pytestmark = [pytest.mark.kubernetes]

SPACE = "shop-broken"
LONGEST = 120.0
"""Seconds in which each is told; `make bench` measures how long it takes on a quiet machine."""
SLEEP = ["sleep", "600"]
Broken = Callable[..., ReleasePods]


def deployment(name: str, image: str, command: list[str], **changed: Any) -> dict[str, Any]:
    """A Deployment as the program makes it; `changed` are fields of its container."""
    labels = {"curtainup.release": name}
    container = {
        "name": "app",
        "image": image,
        "command": command,
        "resources": {"requests": {"cpu": "10m", "memory": "64Mi"}, "limits": {"memory": "64Mi"}},
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
        **changed,
    }
    pod = {
        "terminationGracePeriodSeconds": 0,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 10001,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [container],
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": SPACE},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": pod},
        },
    }


@pytest.fixture(scope="module")
def space(cluster: Cluster) -> Iterator[Cluster]:
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    applied(
        cluster,
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": SPACE, "labels": labels}},
    )
    yield cluster
    kubectl(cluster, "delete", "namespace", SPACE, "--wait=false")


@pytest.fixture
def broken(space: Cluster, image: str) -> Iterator[Broken]:
    """Makes a release whose pods are broken, and gives what inspects it."""
    made: list[str] = []
    way = Clusters({**os.environ, "KUBECONFIG": str(space.kubeconfig)}).of(space.context)

    def make(name: str, command: list[str], image: str = image, **changed: Any) -> ReleasePods:
        made.append(name)
        applied(space, deployment(name, image, command, **changed))
        return ReleasePods(way, Place(SPACE, name, f"curtainup.release={name}", "app", image, 8080))

    yield make
    for one in made:
        kubectl(space, "delete", "deployment", one, "--namespace", SPACE)


def _told(release: ReleasePods) -> ReleaseUnhealthy:
    """Inspect a release as the health check does, until it is given up."""
    deadline = time.monotonic() + LONGEST
    while time.monotonic() < deadline:
        try:
            release.raise_if_down()
        except ReleaseUnhealthy as error:
            return error
        time.sleep(0.25)
    raise AssertionError(f"nothing was told within {LONGEST} s")


def test_a_container_that_exits_is_told_with_its_last_lines(broken: Broken) -> None:
    code = "raise RuntimeError('there is no stage')"
    error = _told(broken("crash", ["python3", "-c", code]))
    assert error.what == "the release's container exited with code 1: RuntimeError: there is no stage"
    assert str(error.detail).endswith("RuntimeError: there is no stage")


def test_a_container_that_needs_more_memory_is_told_with_the_limit(broken: Broken) -> None:
    error = _told(broken("greedy", ["python3", "-c", "x = bytearray(1 << 30); print(len(x))"]))
    assert error.what == "the release's container was killed: it used more than its 64Mi of memory"


def test_a_command_that_is_not_there_is_told(broken: Broken) -> None:
    error = _told(broken("absent", ["/nope"]))
    assert error.what.startswith('the container\'s command cannot be started: exec: "/nope"')
    assert "Dockerfile" in str(error.fix)


def test_an_image_that_is_not_in_the_registry_is_told(broken: Broken, image: str) -> None:
    gone = f"{image.partition('@')[0]}@sha256:{'0' * 64}"
    error = _told(broken("gone", SLEEP, gone))
    assert error.what == f"the cluster cannot pull the image {gone}"
    assert gone in str(error.detail), "the node's own words, which may name another registry that it asked"


def test_a_registry_that_is_not_reached_is_told(broken: Broken) -> None:
    error = _told(broken("unreached", SLEEP, f"127.0.0.1:9/shop@sha256:{'0' * 64}"))
    assert error.what.startswith("the cluster cannot pull the image 127.0.0.1:9/shop")


def test_full_nodes_are_told_with_what_is_lacking(broken: Broken) -> None:
    requests = {"requests": {"cpu": "64", "memory": "64Mi"}, "limits": {"memory": "64Mi"}}
    error = _told(broken("full", SLEEP, resources=requests))
    assert error.what.startswith("no node has room for a pod: 0/1 nodes are available: 1 Insufficient cpu")


def test_pod_security_s_refusal_is_told(broken: Broken) -> None:
    error = _told(broken("privileged", SLEEP, securityContext={"privileged": True}))
    assert 'Pod Security level refuses its pods: "restricted:latest": privileged' in error.what


def test_a_quota_s_refusal_is_told(broken: Broken, space: Cluster) -> None:
    quota = {"name": "none", "namespace": SPACE}
    applied(
        space,
        {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": quota, "spec": {"hard": {"pods": "0"}}},
    )
    try:
        error = _told(broken("many", SLEEP))
        assert error.what.startswith("the namespace's quota does not allow its pods: none, requested: pods=1")
    finally:
        kubectl(space, "delete", "resourcequota", "none", "--namespace", SPACE)


def test_a_probe_that_fails_is_told_in_the_end_with_its_answer(broken: Broken) -> None:
    probe = {"httpGet": {"path": "/ping", "port": 8080}, "periodSeconds": 1}
    release = broken("deaf", SLEEP, readinessProbe=probe)
    deadline = time.monotonic() + LONGEST
    while not any(one.get("reason") == "Unhealthy" for one in release.seen().events):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    release.raise_if_down()
    error = release.unhealthy("", 60, Trouble("GET /ping: connection closed", "wait"))
    assert "Readiness probe failed" in error.what
    assert "connection refused" in error.what
    assert "0.0.0.0" in str(error.fix)
