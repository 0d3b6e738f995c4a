from __future__ import annotations

import json
from typing import Any

import pytest

from curtainup.config.checks.beside import beside
from curtainup.config.models import ServiceConfig
from curtainup.config.targets import names
from tests.config.conftest import Service

USED: dict[str, Any] = {"networks": ["shared"], "volumes": ["uploads:/data"], "host_gateway": True}


def told(environment: str = "live", **changed: Any) -> list[str]:
    whole = ServiceConfig.model_validate_json(json.dumps({"name": "shop", **changed}))
    return [one.what for one in beside(whole, whole.for_environment(environment))]


@pytest.mark.parametrize("target", sorted(set(names()) - {"docker"}))
def test_other_targets_refuse_each_of_them(target: str) -> None:
    assert len(told(deploy_target=target, **USED)) == len(USED)
    assert told(deploy_target=target) == []


def test_a_docker_host_has_all_of_them() -> None:
    assert told(**USED) == []


def test_the_local_gate_of_a_cloud_s_service_may_use_them() -> None:
    assert told("local", deploy_target="kubernetes", environments={"local": USED}) == []


@pytest.mark.parametrize(
    "line",
    [
        "networks: [host]",
        "networks: [shared, shared]",
        "networks: [-x]",
        "volumes: [uploads]",
        'volumes: ["a1:/data", "b1:/data"]',
        'volumes: ["uploads:data"]',
        "host_gateway: 1",
    ],
)
def test_what_docker_would_not_take_is_refused_first(service: Service, line: str) -> None:
    assert line.partition(":")[0] in service.problem(f"name: shop\n{line}\n")


def test_a_review_environment_has_no_volume_of_staging_s(service: Service) -> None:
    sections = (
        "environments:\n  staging:\n    volumes: ['s1:/data']\n  review-7:\n    volumes: ['r7:/data']\n"
    )
    config = service.load(f"name: shop\nvolumes: ['uploads:/data']\n{sections}")
    assert config.for_environment("live").volumes == ("uploads:/data",)
    assert config.for_environment("staging").volumes == ("s1:/data",)
    assert config.for_environment("review-8").volumes == ()
    assert config.for_environment("review-7").volumes == ("r7:/data",)
