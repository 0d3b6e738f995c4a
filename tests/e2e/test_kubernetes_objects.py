"""What a release has on a cluster beside its pods: autoscaler, disruption budget, a login to the registry."""

from __future__ import annotations

import base64
import json
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import docker
import pytest

from curtainup.setup.base_images.catalogue import REFERENCES
from tests.e2e.kube_cluster import applied, cluster, kubectl
from tests.e2e.kube_service import QUICK, Troupe

if TYPE_CHECKING:
    from curtainup.setup.cluster.models import Cluster

__all__ = ["cluster"]

pytestmark = [pytest.mark.kubernetes, pytest.mark.timeout(900)]

USER, PASSWORD = "deployer", "let me in"
HASHED = "$2y$05$abcdefghijklmnopqrstuu4h2R.N3/mVBA7Xh7aLzKSJDAsK61n52"
LOGIN = "registry-login"
SCALED = {"replicas": 2, "max_replicas": 3}
RELEASE = "curtainup.release"


@contextmanager
def guarded_registry(folder: Path) -> Iterator[str]:
    """A registry on this machine that lets in nobody without the password."""
    (folder / "users").write_text(f"{USER}:{HASHED}\n")
    client = docker.from_env()
    container = client.containers.run(
        REFERENCES["registry"],
        detach=True,
        auto_remove=True,
        user="root",
        ports={"5000/tcp": ("127.0.0.1", 0)},
        volumes={str(folder): {"bind": "/users", "mode": "ro"}},
        environment={
            "REGISTRY_AUTH": "htpasswd",
            "REGISTRY_AUTH_HTPASSWD_REALM": "tests",
            "REGISTRY_AUTH_HTPASSWD_PATH": "/users/users",
        },
    )
    try:
        bound = client.api.inspect_container(str(container.id))["NetworkSettings"]["Ports"]["5000/tcp"]
        yield f"127.0.0.1:{bound[0]['HostPort']}"
    finally:
        container.remove(force=True)
        client.close()


@pytest.fixture(scope="module")
def service(
    tmp_path_factory: pytest.TempPathFactory, service_python: Path, cluster: Cluster
) -> Iterator[Troupe]:
    folder = tmp_path_factory.mktemp("e2e")
    made = Troupe.placed(folder, service_python, cluster)
    with guarded_registry(tmp_path_factory.mktemp("users")) as address:
        log_in(made, folder / "docker", address)
        made.configure(**made.on_shared_gateway(), **QUICK | SCALED)
        made.configure(docker_repo=f"{address}/team", image_pull_secret=f"default/{LOGIN}")
        yield made
        made.remove()
        kubectl(cluster, "delete", "secret", LOGIN, "--namespace=default")


def log_in(service: Troupe, folder: Path, address: str) -> None:
    """Log in to a registry: this machine by Docker's configuration, the cluster by a Secret."""
    auths = json.dumps({"auths": {address: {"auth": encoded(f"{USER}:{PASSWORD}")}}})
    folder.mkdir()
    (folder / "config.json").write_text(auths)
    service.environ["DOCKER_CONFIG"] = str(folder)
    meta = {"name": LOGIN, "namespace": "default"}
    secret = {"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/dockerconfigjson"}
    applied(service.on, {**secret, "metadata": meta, "data": {".dockerconfigjson": encoded(auths)}})


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def pods(service: Troupe, release: str) -> list[dict[str, Any]]:
    """The pods of a release of live, those left out that are about to go."""
    found = [one for one in service.objects("live", "pods") if "deletionTimestamp" not in one["metadata"]]
    return [one for one in found if one["metadata"]["labels"][RELEASE] == release]


def ready(pod: dict[str, Any]) -> bool:
    told = {one["type"]: one["status"] for one in pod["status"].get("conditions", ())}
    return told.get("Ready") == "True"


def test_the_doctor_says_that_nothing_measures_the_load(service: Troupe) -> None:
    found = {one["name"]: one for one in service.run("doctor", ".", "--json", code=5).json()}
    assert [name for name, one in found.items() if not one["ok"]] == ["Kubernetes metrics"]
    assert "install metrics-server, or remove max_replicas" in str(found["Kubernetes metrics"])


def test_an_image_is_pulled_with_a_login_that_was_copied(service: Troupe) -> None:
    address = str(service.config["docker_repo"]).partition("/")[0]
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with pytest.raises(urllib.error.HTTPError, match="401"):
        direct.open(f"http://{address}/v2/", timeout=10)
    service.deploy()
    for environment in ("staging", "live"):
        names = {one["metadata"]["name"] for one in service.objects(environment, "secrets")}
        assert f"{service.name}-registry" in names
        images = [str(one["spec"]["containers"][0]["image"]) for one in service.objects(environment, "pods")]
        assert {one.partition("/")[0] for one in images} == {address}


def test_without_a_metrics_server_the_autoscaler_is_there_and_changes_nothing(service: Troupe) -> None:
    [only] = service.workloads("live")
    deadline = time.monotonic() + 60
    while not (scaler := service.objects("live", "horizontalpodautoscalers")[0])["status"].get("conditions"):
        assert time.monotonic() < deadline
        time.sleep(1)
    spec, workload = scaler["spec"], f"{service.name}-{only}"
    assert (spec["minReplicas"], spec["maxReplicas"]) == (2, 3)
    assert (scaler["metadata"]["name"], spec["scaleTargetRef"]["name"]) == (workload, workload)
    told = {one["type"]: one["status"] for one in scaler["status"]["conditions"]}
    assert told["AbleToScale"] == "True"
    assert len(pods(service, only)) == 2


def test_the_number_of_pods_that_an_autoscaler_has_set_stays_and_the_next_release_has_it(
    service: Troupe,
) -> None:
    [only] = service.workloads("live")
    place = (f"deployment/{service.name}-{only}", "--namespace", service.namespace("live"))
    kubectl(service.on, "scale", *place, "--replicas=3")
    service.greet("scaled")
    service.deploy()
    replicas = {
        one["metadata"]["labels"][RELEASE]: one["spec"]["replicas"]
        for one in service.objects("live", "deployments")
    }
    assert replicas.pop(only) == 3
    assert list(replicas.values()) == [3]


def test_a_node_is_emptied_one_pod_at_a_time_without_a_failed_request(service: Troupe) -> None:
    serving = next(one for one, share in service.traffic("live").items() if share)
    there = {str(one["metadata"]["name"]) for one in pods(service, serving)}
    assert len(there) == 3
    with service.users("live") as failures:
        first, *others = [evicted(service, one) for one in sorted(there)]
        assert first == ""
        assert all("violate the pod's disruption budget" in one for one in others)
        deadline = time.monotonic() + 120
        while not {str(one["metadata"]["name"]) for one in pods(service, serving) if ready(one)} - there:
            assert time.monotonic() < deadline
            time.sleep(0.5)
        time.sleep(4)  # the evicted pod goes within that
    assert failures == []


def evicted(service: Troupe, pod: str) -> str:
    """Evict a pod, as who empties a node does; what the API server has against it."""
    place = service.namespace("live")
    path = f"/api/v1/namespaces/{place}/pods/{pod}/eviction"
    meta = {"name": pod, "namespace": place}
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": meta}
    way = [*service.on.kubectl, f"--kubeconfig={service.on.kubeconfig}"]
    command = [*way, "create", "--raw", path, "--filename=-"]
    return subprocess.run(
        command, check=False, capture_output=True, text=True, input=json.dumps(eviction)
    ).stderr
