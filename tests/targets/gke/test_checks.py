from __future__ import annotations

from typing import Any

import pytest

from curtainup.commands.doctor.machine import look_at
from curtainup.config import ServiceConfig
from curtainup.model.checks import Check
from curtainup.platforms.google import gke
from curtainup.platforms.google.api import Endpoints
from curtainup.targets.gke import checks
from tests.accounts import api_server
from tests.accounts.api_server import Api
from tests.accounts.google_account import DENIED, EMAIL, TOKEN, Project

ALL = ["GKE SDKs", "Google credentials", "GKE permissions", "GKE cluster"]


def _looked(google: Endpoints, **keys: Any) -> dict[str, Check]:
    written = {"name": "shop", "deploy_target": "gke", "docker_repo": "my-project", "gcp_region": "us-east1"}
    config = ServiceConfig.model_validate({**written, **keys})
    environments = [config.for_environment(name) for name in ("staging", "live")]
    return {one.name: one for one in look_at(checks.pieces(config, environments, google))}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, api: Api, project: Project) -> list[str]:
    """The clusters that were asked for; the project has the cluster `curtainup` in us-east1."""
    paths: list[str] = []

    def kubeconfig(token: str, path: str, context: str, _: object) -> dict[str, Any] | None:
        assert token == TOKEN
        paths.append(path)
        if not path.endswith("/us-east1/clusters/curtainup"):
            return None
        found = gke.document(context, f"http://127.0.0.1:{api.port}", "")
        return {**found, "users": [{"name": context, "user": {"token": api_server.TOKEN}}]}

    api.put("/version", {"gitVersion": "v1.34.1-gke.1829001"})
    project.granted = set(checks.permissions())
    monkeypatch.setattr(gke, "kubeconfig", kubeconfig)
    return paths


@pytest.mark.usefixtures("asked")
def test_a_deployer_with_the_role_and_a_cluster_is_fine(google: Endpoints) -> None:
    found = _looked(google)
    assert list(found) == ALL
    assert [one for one in found.values() if not one.ok or one.fix] == []
    assert found["Google credentials"].detail == EMAIL
    assert found["GKE permissions"].detail == f"all {len(checks.permissions())} of docs/gke-role.yaml"
    assert found["GKE cluster"].detail == "projects/my-project/locations/us-east1/clusters/curtainup"


def test_a_cluster_that_would_be_made_is_no_trouble(google: Endpoints, asked: list[str]) -> None:
    found = _looked(google, gke_location="us-east4")["GKE cluster"]
    assert (found.ok, found.detail) == (True, "not there; curtainup deploy makes it")
    assert asked == ["projects/my-project/locations/us-east4/clusters/curtainup"]


@pytest.mark.usefixtures("asked")
def test_a_cluster_that_is_named_has_to_be_there(google: Endpoints) -> None:
    found = _looked(google, environments={"live": {"gke_cluster": "shosp"}})
    assert found["GKE cluster (staging)"].ok
    assert not found["GKE cluster (live)"].ok
    assert "gcloud container clusters list" in str(found["GKE cluster (live)"].fix)


@pytest.mark.usefixtures("asked")
def test_a_cluster_that_is_named_as_curtainup_s_own_has_to_be_there_too(google: Endpoints) -> None:
    found = _looked(google, gke_location="us-east4", gke_cluster="curtainup")["GKE cluster"]
    assert not found.ok
    assert "gcloud container clusters list" in str(found.fix)


@pytest.mark.usefixtures("asked")
def test_what_the_deployer_lacks_is_named(google: Endpoints, project: Project) -> None:
    project.granted.remove("container.clusters.create")
    found = _looked(google)["GKE permissions"]
    assert not found.ok
    assert "container.clusters.create" in str(found.detail)
    project.refusals[":testIamPermissions"] = DENIED
    assert str(_looked(google)["GKE permissions"].detail).startswith("not known")


def test_without_an_account_nothing_more_is_asked(nobody: None, asked: list[str]) -> None:
    del nobody
    found = _looked(Endpoints())
    assert not found["Google credentials"].ok
    assert not found["GKE cluster"].ok
    assert asked == []
