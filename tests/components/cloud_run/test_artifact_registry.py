from __future__ import annotations

import re
import subprocess
import sys

import pytest

from curtainup.config.regions.gcp import CLOUD_RUN_REGIONS
from curtainup.model.contract import RegistrySettings
from tests.components.cloud_run.samples import API, PROVIDER, REPOSITORY
from tests.components.program import CONTAINER, PUSHED, VOLUME, Run
from tests.components.test_image import rendered

HOST = "europe-west1-docker.pkg.dev"
PLACE = RegistrySettings(kind="artifact-registry", host=HOST, project="team-1", region="europe-west1")


def _run(service: str = "shop") -> Run:
    return rendered(PLACE, service=service, repository=f"{HOST}/team-1/{service}/{service}", push=True)


def test_a_service_has_a_repository_of_its_own() -> None:
    inputs = _run().one(REPOSITORY).inputs
    assert (inputs["repositoryId"], inputs["location"], inputs["format"]) == (
        "shop",
        "europe-west1",
        "DOCKER",
    )
    assert inputs["labels"] == {"curtainup-service": "shop"}


def test_nothing_runs_on_the_docker_host() -> None:
    run = _run()
    assert not run.of(CONTAINER)
    assert not run.of(VOLUME)


def test_a_push_waits_for_the_repository() -> None:
    run = _run()
    assert run.one(REPOSITORY).name in run.one(PUSHED).dependencies


def test_it_cleans_up_after_itself_and_keeps_what_releases_may_need() -> None:
    """`keep` is 50 at most, and a policy that keeps outweighs those that delete."""
    inputs = _run().one(REPOSITORY).inputs
    policies = {policy["action"]: policy for policy in inputs["cleanupPolicies"]}
    assert policies["KEEP"]["mostRecentVersions"]["keepCount"] > 50
    deletions = [policy["condition"] for policy in inputs["cleanupPolicies"] if policy["action"] == "DELETE"]
    assert {condition["tagState"] for condition in deletions} == {"UNTAGGED", "ANY"}
    assert all(re.fullmatch(r"[0-9]+s", condition["olderThan"]) for condition in deletions)
    assert inputs["cleanupPolicyDryRun"] is False


def test_its_api_is_enabled_and_never_disabled() -> None:
    api = _run().one(API).inputs
    assert api["service"] == "artifactregistry.googleapis.com"
    assert api["disableOnDestroy"] is False


def test_it_is_in_the_configured_project_and_region() -> None:
    run = _run()
    assert run.one(PROVIDER).inputs == {"project": "team-1", "region": "europe-west1"}
    for made in (run.one(REPOSITORY), run.one(API)):
        assert made.provider == "shop-registry-artifact-registry-gcp"
        assert made.parent == "shop-registry-artifact-registry"


@pytest.mark.parametrize("service", ["a", "a" * 40])
def test_its_name_is_legal(service: str) -> None:
    assert re.fullmatch(
        r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?", _run(service).one(REPOSITORY).inputs["repositoryId"]
    )


def test_it_may_be_in_every_region_of_cloud_run() -> None:
    for region in CLOUD_RUN_REGIONS:
        place = PLACE.model_copy(update={"region": region})
        assert rendered(place).one(REPOSITORY).inputs["location"] == region


def test_other_registries_do_without_google_s_provider() -> None:
    """It takes long to import."""
    code = (
        "import sys, components.registry, components.targets;"
        "sys.exit(any(name.startswith(('pulumi_gcp', 'pulumi_aws')) for name in sys.modules))"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
