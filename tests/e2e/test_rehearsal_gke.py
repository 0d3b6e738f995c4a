"""A rehearsal on GKE: the project is played, and the cluster that it seems to have is a real one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from curtainup.model.targets.gke import GATEWAY_CLASS
from curtainup.platforms.kubernetes.clusters import Clusters
from curtainup.rehearsal.home import Home
from tests.e2e.kube_cluster import cluster, kubectl
from tests.e2e.rehearsed import Rehearsed

if TYPE_CHECKING:
    from curtainup.setup.cluster.models import Cluster

__all__ = ["cluster"]

pytestmark = [pytest.mark.kubernetes, pytest.mark.timeout(900)]

PROJECT = "hello-project"
KEYS = {
    "deploy_target": "gke",
    "docker_repo": PROJECT,
    "gcp_region": "europe-west1",
    "live_host": "hello.example.com",
    "memory_limit": "128m",
    "cpus": 0.1,
    "replicas": 1,
    "drain_timeout": 2,
    "stop_timeout": 2,
}
PLACE = f"projects/{PROJECT}/locations/europe-west1/clusters/curtainup"


class OnGke(Rehearsed):
    """A service that is rehearsed on GKE, behind which is a cluster."""

    cluster: Cluster

    def on(self, cluster: Cluster) -> None:
        """Give it the cluster."""
        self.cluster = cluster
        self.environ["KUBECONFIG"] = cluster.kubeconfig
        found = Clusters(self.environ).of(cluster.context)
        self.rehearsal = Home(self.rehearsal.path / found.identity)

    def project(self) -> dict[str, Any]:
        """What the project has."""
        found: dict[str, Any] = self.cloud("gcp").get("projects", {}).get(PROJECT, {})
        return found

    def named(self, kind: str) -> set[str]:
        """The names of what the cluster has of a kind, in all namespaces."""
        found = kubectl(self.cluster, "get", kind, "--all-namespaces", "--output", "json")
        return {str(one["metadata"]["name"]) for one in json.loads(found)["items"]}


@pytest.fixture(scope="module")
def service(
    tmp_path_factory: pytest.TempPathFactory, service_python: Path, cluster: Cluster
) -> Iterator[OnGke]:
    made = OnGke(tmp_path_factory.mktemp("gke"), service_python, **KEYS)
    made.on(cluster)
    yield made
    made.remove()


def test_a_first_deployment_makes_the_cluster_and_goes_live(service: OnGke) -> None:
    before = service.named("namespaces")
    done = service.deploy()
    assert service.proved() == ["local", "staging", "candidate", "live"]
    assert list(service.project()["clusters"]) == [PLACE]
    assert set(service.project()["addresses"]) == {
        f"{service.name}-{one}-rehearsal" for one in ("staging", "live")
    }
    assert service.named("namespaces") - before == set(service.project()["addresses"])
    assert f"curtainup-cluster-{PROJECT}-europe-west1-curtainup" in service.state.stacks()
    assert "has no certificate yet" not in done.err


def test_the_certificate_of_live_waits_for_dns(service: OnGke) -> None:
    [only] = service.project()["certificates"].values()
    assert only == {"domains": ["hello.example.com"], "state": "PROVISIONING"}


def test_each_release_has_its_policies_and_the_gateway_an_address_that_stays(service: OnGke) -> None:
    assert GATEWAY_CLASS in service.named("gatewayclasses")
    [release] = service.traffic_told("live")
    for kind in ("healthcheckpolicies", "gcpbackendpolicies", "services"):
        assert f"{service.name}-{release}" in service.named(kind)
    found = kubectl(
        service.cluster,
        "get",
        "gateways",
        "--namespace",
        f"{service.name}-live-rehearsal",
        "--output",
        "json",
    )
    [gateway] = json.loads(found)["items"]
    assert gateway["spec"]["addresses"] == [
        {"type": "NamedAddress", "value": f"{service.name}-live-rehearsal"}
    ]


def test_a_change_goes_live_and_back(service: OnGke) -> None:
    [old] = service.traffic_told("live")
    service.greet("second")
    new = service.release()
    assert service.traffic_told("live") == {old: 0, new: 100}
    service.run("rollback")
    assert service.traffic_told("live") == {old: 100, new: 0}


def test_a_changed_host_gets_its_certificate_while_the_old_one_is_there(service: OnGke) -> None:
    """Google changes no certificate's host, and removes none to which a map still leads."""
    [old] = service.project()["certificates"]
    service.configure(live_host="shop.example.com")
    assert "allow the change" in service.deploy(code=23).err
    service.deploy("--allow-replace")
    [(new, only)] = service.project()["certificates"].items()
    assert new != old
    assert only["domains"] == ["shop.example.com"]
    assert len(service.project()["certificateMapEntries"]) == 1


def test_destroy_leaves_nothing_on_the_real_cluster(service: OnGke) -> None:
    service.run("destroy", "--confirm", service.name)
    assert service.project() == {}
    assert GATEWAY_CLASS not in service.named("gatewayclasses")
    assert not [one for one in service.named("namespaces") if service.name in one]
    assert service.left() == []


def test_a_preview_says_that_a_cluster_would_be_made(service: OnGke) -> None:
    done = service.run("preview", code=2)
    assert f"project {PROJECT} gets the cluster curtainup in europe-west1" in done.out
