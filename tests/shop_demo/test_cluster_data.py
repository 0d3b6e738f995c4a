from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from curtainup import config
from curtainup.errors import SetupError
from curtainup.platforms.kubernetes import cluster as kubernetes
from curtainup.setup.cluster.models import Cluster
from shop_demo import cluster_data
from shop_demo.__main__ import SHOP
from shop_demo.images import POSTGRES, REDIS
from tests.accounts import api_server
from tests.accounts.api_server import Api, Asked, Status
from tests.platforms.kubernetes.conftest import api, cluster

__all__ = ["api", "cluster"]

NAMED = {POSTGRES: "r/postgres:1", REDIS: "r/redis:1"}
OF = "shop-data-live"
DEPLOYMENTS = f"/apis/apps/v1/namespaces/{OF}/deployments"


def deployment(name: str, *, ready: int = 1, seen: int = 2) -> dict[str, Any]:
    status = {"observedGeneration": seen, "updatedReplicas": 1, "readyReplicas": ready}
    return {"metadata": {"name": name, "generation": 2}, "status": status}


def test_an_environment_has_its_own_and_nothing_is_left_to_fill_in() -> None:
    found = cluster_data.objects("live", NAMED, "curtain: call")
    assert {one["metadata"].get("namespace", OF) for one in found} == {OF}
    [secret] = [one for one in found if one["kind"] == "Secret"]
    assert secret["stringData"] == {"POSTGRES_PASSWORD": "curtain: call"}
    pods = [one["spec"]["template"]["spec"] for one in found if one["kind"] == "Deployment"]
    assert [pod["containers"][0]["image"] for pod in pods] == ["r/postgres:1", "r/redis:1"]
    assert not {"NAMESPACE", "PASSWORD"} & set(str(found).replace("'", " ").split())


def test_the_example_names_them() -> None:
    found = config.load(SHOP, "kubernetes", warn=pytest.fail)
    for environment in cluster_data.ENVIRONMENTS:
        env = found.for_environment(environment).env
        names = {one["metadata"]["name"] for one in cluster_data.objects(environment, NAMED, "")}
        assert {env["DATABASE_HOST"].partition(".")[0], "redis"} <= names
        assert env["DATABASE_HOST"].endswith(cluster_data.namespace(environment))
        assert f".{cluster_data.namespace(environment)}:" in env["REDIS_URL"]


def test_what_is_there_is_changed_and_the_rest_is_made(api: Api, cluster: kubernetes.Cluster) -> None:
    api.put(f"/api/v1/namespaces/{OF}", {"metadata": {"name": OF, "labels": cluster_data.LABELS}})
    cluster_data.apply(cluster, "live", NAMED, "x")
    assert [one.path for one in api.of("PATCH")] == [f"/api/v1/namespaces/{OF}"]
    made = [one.path.rpartition("/")[2] for one in api.of("POST")]
    assert made == ["secrets", "services", "deployments", "services", "deployments"]


def test_what_belongs_to_somebody_else_is_left_alone(api: Api, cluster: kubernetes.Cluster) -> None:
    api.put(f"{DEPLOYMENTS}/redis", deployment("redis"))
    with pytest.raises(SetupError, match="somebody else") as caught:
        cluster_data.apply(cluster, "live", NAMED, "x")
    assert f"{DEPLOYMENTS}/redis" in str(caught.value.where)
    assert not [*api.of("POST"), *api.of("PATCH")]


def test_it_is_waited_for_both_at_their_latest_state(api: Api, cluster: kubernetes.Cluster) -> None:
    states = [[deployment("redis", seen=1)], [deployment("redis", ready=0)], [deployment("redis")]]

    def given(_: Asked) -> dict[str, Any]:
        return {"items": states.pop(0)}

    api.put(DEPLOYMENTS, given)
    cluster_data.wait(cluster, OF)
    assert states == []


def test_one_that_does_not_start_is_told(
    api: Api, cluster: kubernetes.Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster_data, "PATIENCE", 0.0)
    api.items(DEPLOYMENTS, deployment("postgres", ready=0), deployment("redis"))
    with pytest.raises(SetupError, match="postgres in shop-data-live did not start") as caught:
        cluster_data.wait(cluster, OF)
    assert f"--namespace {OF}" in str(caught.value.fix)


def test_what_the_cluster_refuses_is_told(api: Api, cluster: kubernetes.Cluster) -> None:
    api.created["/api/v1/namespaces"] = Status(422, "Invalid", "no such thing")
    with pytest.raises(SetupError, match="the cluster refuses: Invalid"):
        cluster_data.apply(cluster, "live", NAMED, "x")


def test_somebody_else_s_cluster_pulls_the_public_images(tmp_path: Path, api: Api) -> None:
    found = Cluster(str(api_server.kubeconfig(tmp_path, api.port)), api_server.CONTEXT, None, ())
    assert cluster_data.images_for(found, "r/team") == {POSTGRES: "postgres:16", REDIS: "redis:7"}
