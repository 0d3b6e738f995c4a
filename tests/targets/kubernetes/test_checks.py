from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from curtainup.errors import SetupError
from curtainup.model.checks import Found
from curtainup.platforms.kubernetes.clusters import Clusters
from curtainup.platforms.kubernetes.gateways import API
from curtainup.setup.paths import program_dir
from curtainup.targets.kubernetes import checks, permissions
from tests.accounts import api_server
from tests.accounts.api_server import Api as Server
from tests.accounts.api_server import Asked
from tests.targets.kubernetes.conftest import KEYS, service

PUBLIC = (
    "deploy_target: kubernetes\ngateway: gateways/public\nlive_host: shop.example\nstaging_host: s.example\n"
)
VERSION = {"major": "1", "minor": "34", "gitVersion": "v1.34.4"}


def _look(folder: Path, api: Server, keys: str) -> dict[str, Found | SetupError]:
    """Look at each piece; return what was found, or is wrong."""
    config = service(folder, api, keys).session.service.config
    environ = {"KUBECONFIG": str(api_server.kubeconfig(folder, api.port))}
    environments = [config.for_environment(one) for one in ("staging", "live")]
    found: dict[str, Found | SetupError] = {}
    for piece in checks.pieces(config, environments, Clusters(environ)):
        try:
            found[piece.name] = piece.look()
        except SetupError as error:
            found[piece.name] = error
    return found


def _error(found: Found | SetupError) -> SetupError:
    assert isinstance(found, SetupError)
    return found


def _detail(found: Found | SetupError) -> str:
    assert isinstance(found, Found), found
    return found.detail


@pytest.fixture
def allowed(api: Server) -> Server:
    api.put("/version", VERSION)
    api.created[permissions.REVIEWS] = {"status": {"allowed": True}}
    return api


def test_a_cluster_that_has_everything_says_so(tmp_path: Path, allowed: Server) -> None:
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    allowed.put("/api/v1/namespaces/shop-live", {"metadata": {"labels": labels}})
    found = _look(tmp_path, allowed, KEYS)
    assert list(found) == ["Kubernetes SDK", "Kubernetes cluster", "Kubernetes permissions", "Pod Security"]
    cluster = found["Kubernetes cluster"]
    assert isinstance(cluster, Found)
    assert cluster.version == "v1.34.4"
    assert cluster.detail.endswith(f", {api_server.UID}")
    assert _detail(found["Pod Security"]) == "shop-staging: not there yet, shop-live: restricted"
    count = permissions.count(permissions.rules(gateways=False, schedules=False))
    assert _detail(found["Kubernetes permissions"]) == f"all {count} that a deployment uses"


def test_each_permission_is_asked_for_where_it_is_used(tmp_path: Path, allowed: Server) -> None:
    _look(tmp_path, allowed, PUBLIC)
    asked = [one.body["spec"]["resourceAttributes"] for one in allowed.of("POST")]
    assert len(asked) == 2 * permissions.count(permissions.rules(gateways=True, schedules=False))
    assert not any("cronjobs" in one["resource"] for one in asked), "the service has no schedules"
    assert {
        "group": "apps",
        "resource": "deployments",
        "subresource": "",
        "verb": "patch",
        "namespace": "shop-live",
    } in asked
    logs = {"group": "", "resource": "pods", "subresource": "log", "verb": "get", "namespace": "shop-live"}
    assert logs in asked
    everywhere = {"group": "", "resource": "namespaces", "subresource": "", "verb": "create"}
    assert everywhere in asked


def test_those_for_schedules_are_asked_for_where_there_are_some(tmp_path: Path, allowed: Server) -> None:
    def review(asked: Asked) -> dict[str, Any]:
        return {"status": {"allowed": asked.body["spec"]["resourceAttributes"]["resource"] != "cronjobs"}}

    allowed.created[permissions.REVIEWS] = review
    schedule = 'environments: {live: {schedule: {cleanup: {command: clean, cron: "0 3 * * *"}}}}\n'
    error = _error(_look(tmp_path, allowed, f"{KEYS}{schedule}")["Kubernetes permissions"])
    assert "create cronjobs.batch in shop-live" in str(error.detail)
    assert "patch cronjobs/status.batch in shop-live" in str(error.detail)


def test_what_is_missing_is_named(tmp_path: Path, allowed: Server) -> None:
    def review(asked: Asked) -> dict[str, Any]:
        return {"status": {"allowed": asked.body["spec"]["resourceAttributes"]["verb"] != "patch"}}

    allowed.created[permissions.REVIEWS] = review
    error = _error(_look(tmp_path, allowed, KEYS)["Kubernetes permissions"])
    assert "create deployments.apps" not in str(error.detail)
    assert "patch deployments.apps in shop-live" in str(error.detail)
    assert "docs/kubernetes.md" in str(error.fix)


def test_the_role_of_the_manual_is_what_is_asked_for() -> None:
    role = yaml.safe_load((program_dir() / "docs" / "kubernetes-role.yaml").read_text())
    given = {
        (group, resource, verb)
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }
    assert given == {(rule.group, rule.resource, verb) for rule in permissions.RULES for verb in rule.verbs}


def test_a_cluster_that_is_too_old_is_refused(tmp_path: Path, allowed: Server) -> None:
    allowed.put("/version", {"major": "1", "minor": "29+", "gitVersion": "v1.29.1-gke"})
    error = _error(_look(tmp_path, allowed, KEYS)["Kubernetes cluster"])
    assert error.what == "the cluster has Kubernetes v1.29.1-gke"
    assert "1.30 or later" in str(error.fix)


def test_a_gateway_is_looked_at_with_its_listeners(tmp_path: Path, allowed: Server) -> None:
    assert "no Gateway API" in _error(_look(tmp_path, allowed, PUBLIC)["Gateway (live)"]).what
    allowed.put("/apis/gateway.networking.k8s.io", {"preferredVersion": {"version": "v1"}})
    listeners = [{"name": "web", "protocol": "HTTP", "hostname": "shop.example"}]
    allowed.put(f"{API}/namespaces/gateways/gateways/public", {"spec": {"listeners": listeners}})
    config = service(tmp_path, allowed, PUBLIC).session.service.config
    environ = {"KUBECONFIG": str(api_server.kubeconfig(tmp_path, allowed.port))}
    [piece] = [
        one
        for one in checks.pieces(config, [config.for_environment("live")], Clusters(environ))
        if one.name.startswith("Gateway")
    ]
    found = piece.look()
    assert (found.version, found.detail) == ("v1", "gateways/public, with the listeners web")


def test_a_class_that_is_not_there_is_refused_with_those_that_are(tmp_path: Path, allowed: Server) -> None:
    accepted = {"conditions": [{"type": "Accepted", "status": "True"}]}
    allowed.put("/apis/gateway.networking.k8s.io", {"preferredVersion": {"version": "v1"}})
    allowed.items(f"{API}/gatewayclasses", {"metadata": {"name": "envoy"}, "status": accepted})
    keys = "deploy_target: kubernetes\n"
    assert _detail(_look(tmp_path, allowed, keys)["Gateway"]) == "of class envoy"
    error = _error(_look(tmp_path, allowed, f"{keys}gateway_class: other\n")["Gateway"])
    assert error.fix == "name one of these: envoy"


def test_metrics_are_needed_only_by_an_autoscaler(tmp_path: Path, allowed: Server) -> None:
    keys = f"{KEYS}replicas: 1\nmax_replicas: 3\n"
    error = _error(_look(tmp_path, allowed, keys)["Kubernetes metrics"])
    assert "metrics-server" in str(error.fix)
    allowed.put(checks.METRICS, {"resources": []})
    assert _detail(_look(tmp_path, allowed, keys)["Kubernetes metrics"]) == "for the autoscaler"
    assert "Kubernetes metrics" not in _look(tmp_path, allowed, KEYS)


def test_environments_on_two_clusters_are_looked_at_apart(tmp_path: Path, allowed: Server) -> None:
    keys = f"{KEYS}environments:\n  live:\n    kube_context: {api_server.CONTEXT}\n"
    found = _look(tmp_path, allowed, keys)
    assert [one for one in found if one.startswith("Kubernetes cluster")] == [
        "Kubernetes cluster (staging)",
        "Kubernetes cluster (live)",
    ]
    assert _detail(found["Pod Security (live)"]) == "shop-live: not there yet"
