from __future__ import annotations

import pytest

from curtainup.config import secrets
from curtainup.config.targets import names
from tests.config.conftest import Service

DB = "accessories:\n  db:\n    image: postgres:16\n"


def test_an_accessory_needs_an_image_alone(service: Service) -> None:
    found = service.load(f"name: shop\n{DB}").for_environment("live").accessories["db"]
    assert (found.image, found.volume, found.health, found.start_timeout) == ("postgres:16", None, None, 60)


@pytest.mark.parametrize(
    ("below", "told"),
    [
        ("accessories:\n  db: {}\n", "accessories.db.image: is missing"),
        (f"{DB}    imge: x\n", "accessories.db.imge: is not a known key"),
        (f"{DB}    volume: data\n", "is not an absolute path"),
        (f"{DB}    volume: /\n", "is not an absolute path"),
        (f"{DB}    health: ''\n", "is not a command for /bin/sh"),
        (f"{DB}    memory_limit: 7\n", "is not a memory size"),
        ("accessories:\n  DB: {image: x1}\n", "is not a valid name for an accessory"),
        ("accessories:\n  db: postgres\n", "is not a mapping with `image`"),
        ("accessories: [db]\n", "is not a mapping of up to 10 names to accessories"),
    ],
)
def test_what_is_wrong_is_told_at_its_place(service: Service, below: str, told: str) -> None:
    assert told in service.problem(f"name: shop\n{below}")


@pytest.mark.parametrize("name", ["proxy", "r0123abc", "registry", "localhost", "accessories"])
def test_a_name_that_another_container_has_is_refused(service: Service, name: str) -> None:
    told = service.problem(f"name: shop\naccessories:\n  {name}: {{image: x1}}\n")
    assert "something else of the environment is called that" in told


def test_a_variable_is_plain_or_secret(service: Service) -> None:
    told = service.problem(f"name: shop\n{DB}    env: {{PASSWORD: x}}\n    env_secrets: [PASSWORD]\n")
    assert "accessories.db.env.PASSWORD" in told


NEEDED = {"gcp-cloud-run": "docker_repo: p\ngcp_region: europe-west1\n"}
NEEDED["gke"] = NEEDED["gcp-cloud-run"]


@pytest.mark.parametrize("target", sorted(set(names()) - {"docker"}))
def test_clouds_refuse_them_and_name_what_they_manage(service: Service, target: str) -> None:
    text = f"name: shop\ndeploy_target: {target}\n{NEEDED.get(target, '')}{DB}"
    told = service.problem(text)
    assert f"is not possible on {target}" in told
    assert any(one in told for one in ("Cloud SQL", "Amazon RDS", "CloudNativePG"))


def test_staging_on_a_docker_host_may_have_some_where_live_is_on_a_cloud(service: Service) -> None:
    indented = "".join(f"    {line}\n" for line in DB.splitlines())
    section = f"environments:\n  staging:\n    deploy_target: docker\n{indented}"
    config = service.load(f"name: shop\ndeploy_target: aws-beanstalk\n{section}")
    assert list(config.for_environment("staging").accessories) == ["db"]
    assert config.for_environment("live").accessories == {}


def test_the_local_gate_gets_none_of_its_own(service: Service) -> None:
    indented = "".join(f"    {line}\n" for line in DB.splitlines())
    told = service.problem(f"name: shop\nenvironments:\n  local:\n{indented}")
    assert "uses those of the first environment" in told
    config = service.load(f"name: shop\n{DB}environments: {{local: {{accessories: {{}}}}}}\n")
    assert config.for_local("staging").accessories == {}


def test_their_secrets_are_needed_and_the_service_does_not_get_them(service: Service) -> None:
    config = service.load(f"name: shop\nenv_secrets: [TOKEN]\n{DB}    env_secrets: [PASSWORD]\n")
    assert secrets.secret_names(config) == ("TOKEN", "PASSWORD")
    assert set(secrets.needed_secrets(config)) == {"TOKEN", "PASSWORD"}
    assert set(secrets.needed_secrets(config, "review-7")) == {"TOKEN", "PASSWORD"}
    assert config.for_environment("live").env_secrets == ("TOKEN",)
