from __future__ import annotations

import json

from curtainup.model.contract import RegistrySettings
from tests.components.program import CONTAINER, PUSHED, Run
from tests.components.test_image import rendered

HOST = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
PLACE = RegistrySettings(kind="ecr", host=HOST, region="eu-west-1", profile="deployer")
REPOSITORY = "aws:ecr/repository:Repository"
LIFECYCLE = "aws:ecr/lifecyclePolicy:LifecyclePolicy"
PROVIDER = "pulumi:providers:aws"


def _run(service: str = "shop", place: RegistrySettings = PLACE) -> Run:
    return rendered(place, service=service, repository=f"{HOST}/{service}", push=True)


def test_a_service_has_a_repository_of_its_own() -> None:
    """Scanned on every push, and its tags never move."""
    inputs = _run().one(REPOSITORY).inputs
    assert inputs == {
        "name": "shop",
        "imageTagMutability": "IMMUTABLE",
        "imageScanningConfiguration": {"scanOnPush": True},
        "forceDelete": True,
    }


def test_a_push_waits_for_the_repository() -> None:
    run = _run()
    assert run.one(REPOSITORY).name in run.one(PUSHED).dependencies
    assert not run.of(CONTAINER)


def test_it_cleans_up_after_itself_and_keeps_what_releases_may_need() -> None:
    """`keep` is 50 at most; a rule for any image must come last."""
    rules = json.loads(_run().one(LIFECYCLE).inputs["policy"])["rules"]
    assert [rule["rulePriority"] for rule in rules] == [1, 2]
    assert [rule["selection"]["tagStatus"] for rule in rules] == ["untagged", "any"]
    assert rules[1]["selection"]["countNumber"] > 50


def test_it_is_in_the_configured_region_and_of_the_configured_profile() -> None:
    run = _run()
    provider = run.one(PROVIDER).inputs
    assert (provider["region"], provider["profile"]) == ("eu-west-1", "deployer")
    assert json.loads(provider["defaultTags"]) == {"tags": {"curtainup.service": "shop"}}
    for made in (run.one(REPOSITORY), run.one(LIFECYCLE)):
        assert made.provider == "shop-registry-ecr-aws"
        assert made.parent == "shop-registry-ecr"


def test_the_profile_may_be_that_of_the_environment() -> None:
    run = _run(place=PLACE.model_copy(update={"profile": None}))
    assert "profile" not in run.one(PROVIDER).inputs


def test_the_longest_service_name_is_legal() -> None:
    assert _run("a" * 40).one(REPOSITORY).inputs["name"] == "a" * 40
