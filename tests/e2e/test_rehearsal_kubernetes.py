"""A rehearsal on Kubernetes: on a cluster that ends with it, or on a given one, where it stays."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from curtainup.engine.state import FileState
from curtainup.errors import RefusedError
from curtainup.platforms.kubernetes.clusters import Clusters
from curtainup.rehearsal import containers
from curtainup.rehearsal.home import LABEL, Home
from curtainup.setup.cluster.place import every
from tests.e2e.kube_cluster import applied, cluster, kubectl, pieces_of_cluster
from tests.e2e.rehearsed import Rehearsed

if TYPE_CHECKING:
    from curtainup.setup.cluster.models import Cluster

__all__ = ["cluster", "pieces_of_cluster"]

pytestmark = [pytest.mark.kubernetes, pytest.mark.timeout(900)]

KEYS = {
    "deploy_target": "kubernetes",
    "kube_context": "production",
    "gateway": "gateways/public",
    "live_host": "hello.example.com",
    "staging_host": "staging.hello.example.com",
    "docker_repo": "registry.example.com/team",
    "image_pull_secret": "default/login",
    "memory_limit": "128m",
    "cpus": 0.1,
    "replicas": 1,
    "drain_timeout": 2,
    "stop_timeout": 2,
}
"""Of a service that is really deployed to a cluster that no test has."""
STEPS = ["local", "staging", "candidate", "live"]


class OnCluster(Rehearsed):
    """A service that is rehearsed on a cluster."""

    def on(self, cluster: Cluster) -> None:
        """Give it a cluster."""
        self.environ["KUBECONFIG"] = cluster.kubeconfig
        found = Clusters(self.environ).of(cluster.context)
        self.rehearsal = Home(self.rehearsal.path / found.identity)

    def remove(self) -> None:
        """Destroy what is rehearsed on a given cluster; nothing of any other may be there."""
        if "KUBECONFIG" in self.environ:
            super().remove()
        assert self.host.everything() == []


@pytest.fixture
def service(tmp_path: Path, service_python: Path) -> Iterator[OnCluster]:
    made = OnCluster(tmp_path, service_python, **KEYS)
    made.environ.pop("KUBECONFIG", None)
    yield made
    made.remove()


def namespaces(cluster: Cluster) -> set[str]:
    found = json.loads(kubectl(cluster, "get", "namespaces", "--output", "json"))["items"]
    return {str(one["metadata"]["name"]) for one in found}


def objects(cluster: Cluster, namespace: str, kind: str) -> list[dict[str, Any]]:
    found = kubectl(cluster, "get", kind, "--namespace", namespace, "--output", "json")
    return list(json.loads(found)["items"])


@pytest.mark.usefixtures("pieces_of_cluster")
def test_a_cluster_that_it_starts_ends_with_it_and_so_does_all_that_is_kept(service: OnCluster) -> None:
    clusters, networks = every(), service.host.client.networks.list(filters={"label": LABEL})
    done = service.deploy()
    assert "this rehearsal, and the cluster that it starts, end with the command" in done.err
    assert service.proved() == STEPS
    assert every() == clusters
    kept = service.rehearsal.path
    assert [one.name for one in kept.iterdir()] == ["passphrase"]
    assert service.host.everything() == []
    assert service.host.client.networks.list(filters={"label": LABEL}) == networks
    told = service.run("status", code=RefusedError.exit_code)
    assert "KUBECONFIG is not set" in told.err
    assert service.run("rehearse", "--fault", "crash", code=RefusedError.exit_code).out == ""
    assert every() == clusters


def test_on_a_given_cluster_it_stays_until_it_is_destroyed(service: OnCluster, cluster: Cluster) -> None:
    service.on(cluster)
    real, live = f"{service.name}-live", f"{service.name}-live-rehearsal"
    applied(cluster, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": real}})
    try:
        before = namespaces(cluster)
        service.deploy()
        assert service.proved() == STEPS
        [old] = service.traffic_told("live")
        assert objects(cluster, real, "all") == []
        assert [one["spec"].get("hostnames") for one in objects(cluster, live, "httproutes")] == [None]

        service.greet("second")
        new = service.release()
        assert service.traffic_told("live") == {old: 0, new: 100}
        service.run("rollback")
        assert service.traffic_told("live") == {old: 100, new: 0}

        assert FileState(service.home / "data" / "curtainup" / "state").stacks() == []
        service.run("destroy", "--confirm", service.name)
        assert namespaces(cluster) == before
        assert service.left() == []
    finally:
        kubectl(cluster, "delete", "namespace", real, "--wait=false")
        containers.remove_all(service.rehearsal)
