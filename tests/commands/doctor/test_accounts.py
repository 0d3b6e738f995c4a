from __future__ import annotations

from typing import Any

import pytest

from curtainup.commands.doctor import accounts
from curtainup.config import ServiceConfig
from curtainup.targets.grouping import Grouped, grouped

pytestmark = pytest.mark.usefixtures("nobody")

CLOUD_RUN = {
    "deploy_target": "gcp-cloud-run",
    "docker_repo": "my-project",
    "gcp_region": "europe-west1",
}
BEANSTALK = {"deploy_target": "aws-beanstalk", "aws_region": "eu-west-1"}


def _names(**keys: Any) -> list[str]:
    return [piece.name for piece in accounts.pieces(ServiceConfig.model_validate({"name": "shop", **keys}))]


def test_a_service_on_a_docker_host_has_no_account() -> None:
    assert _names(deploy_target="docker") == []


def test_a_service_s_own_cloud_is_looked_at() -> None:
    assert _names(**CLOUD_RUN)[0] == "Google Cloud SDK"
    assert _names(**BEANSTALK)[0] == "AWS SDK"


@pytest.mark.parametrize("keys", [CLOUD_RUN, BEANSTALK], ids=["google", "amazon"])
def test_each_piece_has_a_name_of_its_own_and_needs_one_before_it(keys: dict[str, Any]) -> None:
    sections = {
        "live": {
            "gcp_region": "us-east1",
            "aws_region": "us-east-1",
            "aws_keypair": "a",
            "aws_cert_arn": "arn:aws:acm:us-east-1:123456789012:certificate/0f3a",
        },
        "review": {"aws_keypair": "b"},
    }
    config = ServiceConfig.model_validate({"name": "shop", **keys, "environments": sections})
    before: list[str] = []
    for piece in accounts.pieces(config):
        assert piece.name not in before
        assert piece.needs is None or piece.needs in before
        before.append(piece.name)


def test_settings_that_all_share_need_no_names() -> None:
    assert grouped([("staging", 1), ("live", 1)]) == [Grouped(1, "")]
    assert grouped([("staging", 1), ("live", 2), ("review", 1)]) == [
        Grouped(1, " (staging, review)"),
        Grouped(2, " (live)"),
    ]


@pytest.mark.parametrize(
    ("keys", "names"),
    [
        (CLOUD_RUN, {"Google permissions", "Google identity token"}),
        (BEANSTALK, {"AWS permissions"}),
    ],
    ids=["google", "amazon"],
)
def test_what_only_a_deployment_needs_is_marked(keys: dict[str, Any], names: set[str]) -> None:
    config = ServiceConfig.model_validate({"name": "shop", **keys})
    assert {piece.name for piece in accounts.pieces(config) if piece.deploys} == names
