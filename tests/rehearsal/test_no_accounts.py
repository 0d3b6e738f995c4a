from __future__ import annotations

import pytest

from curtainup.config import ServiceConfig
from curtainup.config.canary_metrics import CanaryMetric
from curtainup.config.models import EnvironmentSettings
from curtainup.rehearsal.no_accounts import on_cluster, without_accounts
from curtainup.setup.cluster.models import Cluster, Gateway


@pytest.mark.parametrize("repository", ["team", "docker.io/team", "registry.example.com/team/shop", None])
def test_beanstalk_is_rehearsed_without_a_profile_and_with_the_stand_ins_registry(
    repository: str | None,
) -> None:
    live = EnvironmentSettings(deploy_target="aws-beanstalk", aws_user="somebody")
    config = ServiceConfig(
        name="shop",
        deploy_target="aws-beanstalk",
        aws_user="deployer",
        docker_repo=repository,
        environments={"live": live, "staging": EnvironmentSettings(cpus=1.0)},
    )

    found = without_accounts(config)

    assert found.docker_repo is None
    assert [found.for_environment(name).aws_user for name in ("staging", "live")] == [None, None]
    assert found.for_environment("staging").cpus == 1.0


@pytest.mark.parametrize("repository", ["my-project", "eu.gcr.io/my-project"])
def test_the_project_of_cloud_run_stays_and_a_registrys_host_does_not(repository: str) -> None:
    config = ServiceConfig(name="shop", deploy_target="gcp-cloud-run", docker_repo=repository)

    assert without_accounts(config).docker_repo == "my-project"


def test_no_rehearsal_asks_for_the_metrics_of_real_releases() -> None:
    metrics = (CanaryMetric(query="up", at_most=1),)
    live = EnvironmentSettings(canary=(10,), canary_metrics=metrics)
    config = ServiceConfig(
        name="shop", canary_metrics=metrics, metrics_url="https://x", environments={"live": live}
    )
    found = without_accounts(config)
    assert [found.for_environment(name).canary_metrics for name in ("staging", "live")] == [(), ()]
    assert found.for_environment("live").canary == (10,)


def test_a_cluster_of_a_rehearsal_takes_the_place_of_the_real_one() -> None:
    live = EnvironmentSettings(kube_context="production", gateway="gateways/live", replicas=3)
    config = ServiceConfig(
        name="shop",
        deploy_target="kubernetes",
        docker_repo="registry.example.com/team",
        image_pull_secret="default/login",
        gateway="gateways/public",
        gateway_class="nginx",
        live_host="shop.example.com",
        environments={"live": live, "staging": EnvironmentSettings(gateway="none")},
    )
    cluster = Cluster("/a/kubeconfig", "curtainup", Gateway("gateway", "public", "envoy", "http://x"), ())

    found = on_cluster(without_accounts(config), cluster, "127.0.0.1:5001")

    for environment in map(found.for_environment, ("staging", "live", "review-7")):
        assert (environment.kube_context, environment.gateway_class) == ("curtainup", "envoy")
        assert (environment.image_pull_secret, environment.cert_issuer) == (None, None)
        assert environment.gateway == ("none" if environment.environment != "live" else None)
    assert found.for_environment("live").replicas == 3
    assert found.docker_repo == "127.0.0.1:5001/rehearsal"


def test_a_rehearsal_makes_its_cluster_in_the_region_whatever_zone_the_real_one_is_in() -> None:
    live = EnvironmentSettings(gke_cluster="shops", gke_location="europe-west1-b")
    config = ServiceConfig(
        name="shop",
        deploy_target="gke",
        docker_repo="my-project",
        gcp_region="europe-west1",
        gke_cluster="all",
        gke_location="europe-west1-c",
        environments={"live": live},
    )
    found = on_cluster(without_accounts(config), Cluster("/a/kubeconfig", "kind", None, ()), None)
    for environment in map(found.for_environment, ("staging", "live")):
        assert (environment.gke_cluster, environment.gke_location) == (None, None)
    assert found.docker_repo == "my-project"


def test_a_given_cluster_keeps_its_class_of_gateways() -> None:
    config = ServiceConfig(name="shop", deploy_target="kubernetes", gateway_class="nginx", gateway="none")
    found = on_cluster(config, Cluster("/a/kubeconfig", "kind", None, ()), "127.0.0.1:5001")
    assert (found.gateway_class, found.gateway) == ("nginx", "none")
