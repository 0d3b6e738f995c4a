from __future__ import annotations

from pathlib import Path

import pytest

from curtainup.config import kubernetes as keys
from curtainup.config import load
from curtainup.config.checks.kubernetes import kubernetes
from curtainup.config.models import ServiceConfig
from curtainup.errors import ConfigError
from curtainup.model.targets import kubernetes as model

SHARED = {"gateway": "gateways/public", "gateway_domain": "apps.example.com"}


def config(**changed: object) -> ServiceConfig:
    return ServiceConfig.model_validate({"name": "shop", "deploy_target": "kubernetes", **changed})


def told(environment: str = "live", **changed: object) -> list[str]:
    whole = config(**changed)
    return [one.what for one in kubernetes(whole, whole.for_environment(environment))]


def test_nothing_more_than_the_target_is_needed() -> None:
    assert told() == told("staging") == []


def test_other_targets_have_no_gateway() -> None:
    assert told(deploy_target="docker", gateway="none", canary=(10,)) == []


@pytest.mark.parametrize(
    ("name", "host"),
    [
        ("live", "hello.example.com"),
        ("staging", "shop-staging.apps.example.com"),
        ("review-7", "shop-review-7.apps.example.com"),
    ],
)
def test_each_environment_has_a_host_of_its_own_on_a_gateway_that_is_shared(name: str, host: str) -> None:
    whole = config(live_host="Hello.example.com", **SHARED)
    assert whole.gateway_host(name) == host
    assert told(name, live_host="hello.example.com", **SHARED) == []


def test_without_a_domain_only_what_is_named_has_a_host() -> None:
    assert config().gateway_host("live") is None
    assert config(staging_host="staging.example.com").gateway_host("staging") == "staging.example.com"


@pytest.mark.parametrize("name", ["live", "staging", "review-7"])
def test_an_environment_without_a_host_cannot_share_a_gateway(name: str) -> None:
    (what,) = told(name, gateway="gateways/public")
    assert what == f"is missing, and {name} shares the Gateway gateways/public"


def test_the_local_gate_has_no_gateway() -> None:
    assert list(told("local", gateway="gateways/public")) == []


def test_a_review_environment_has_one_pod() -> None:
    whole = config(replicas=3, max_replicas=9)
    review, live = whole.for_environment("review-7"), whole.for_environment("live")
    assert (review.replicas, review.max_replicas) == (1, None)
    assert (live.replicas, live.max_replicas) == (3, 9)


def test_both_halves_call_no_gateway_the_same() -> None:
    assert keys.NO_GATEWAY == model.NO_GATEWAY


@pytest.mark.parametrize(
    "written",
    [
        "gateway: public",
        "gateway: Gateways/public",
        "gateway: a/b/c",
        "image_pull_secret: login",
        "replicas: 0",
    ],
)
def test_what_is_no_place_on_a_cluster_is_refused(tmp_path: Path, written: str) -> None:
    (tmp_path / "pym-config.yaml").write_text(f"name: shop\n{written}\n")
    with pytest.raises(ConfigError):
        load(tmp_path, warn=pytest.fail)


def test_a_zone_needs_a_cluster_that_is_there() -> None:
    """Autopilot clusters are in regions."""
    [found] = told(deploy_target="gke", gke_location="europe-west1-b")
    assert found == "europe-west1-b is a zone, and the cluster that curtainup makes needs a region"
    assert told(deploy_target="gke", gke_location="europe-west1-b", gke_cluster="shops") == []
    assert told(deploy_target="gke", gke_location="europe-west1") == []
