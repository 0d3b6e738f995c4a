"""docs/coming-from-pymdeploy.md has every old option and key, and says the truth of them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from curtainup.config import ServiceConfig
from curtainup.targets import TARGETS
from tests import docs_pages
from tests.config.conftest import Service

PAGE = docs_pages.DOCS / "coming-from-pymdeploy.md"
PYMDEPLOY = {
    "--branch",
    "--commit",
    "--env",
    "--debug",
    "--no-test",
    "--no-unittest",
    "--force-build",
    "--no-push",
    "--no-deploy",
    "--x-auth",
}
PYMTEST = {
    "--image",
    "--env",
    "--host",
    "--port",
    "--loop",
    "--no-ssl-check",
    "--no-stop",
    "--gen-token",
    "--nocapture",
    "--debug",
}
KEYS = {
    "name",
    "live_host",
    "live_url",
    "env_secrets",
    "jwt_issuer",
    "jwt_audience",
    "jwt_secret",
    "default_user_id",
    "with_async",
    "docker_repo",
    "docker_base",
    "docker_bucket",
    "deploy_target",
    "aws_user",
    "aws_keypair",
    "aws_instance_type",
    "aws_cert_arn",
    "aws_zone_id",
    "aws_hosts_min",
    "aws_hosts_max",
    "aws_region",
    "gcp_region",
    "gcp_memory",
    "gcp_request_concurrency",
    "memory_limit",
    "include_links",
}
"""Of the old pym-config.yaml."""


@pytest.fixture
def service(tmp_path: Path) -> Service:
    return Service(tmp_path)


@pytest.mark.parametrize(("tool", "old"), [("pymdeploy", PYMDEPLOY), ("pymtest", PYMTEST)])
def test_every_old_option_has_a_row(tool: str, old: set[str]) -> None:
    firsts = [cells[0] for cells in docs_pages.rows(PAGE, tool)]
    assert old <= {option for first in firsts for option in docs_pages.options_in(first)}


def test_every_row_says_what_stands_for_it_or_that_nothing_does() -> None:
    for tool in ("pymdeploy", "pymtest"):
        for _, new, _ in docs_pages.rows(PAGE, tool):
            assert new in {"not there", "the default"} or "`curtainup " in new


def test_every_old_key_is_still_read() -> None:
    assert ServiceConfig.model_fields.keys() >= KEYS


def test_keys_that_are_said_to_be_known_are_and_the_others_are_not() -> None:
    for keys, _, new in docs_pages.rows(PAGE, "key"):
        known = {name in ServiceConfig.model_fields for name in re.findall(r"`(\w+)`", keys)}
        assert known == {not new.startswith("not known")}, keys


def test_the_defaults_are_those_that_are_told(service: Service) -> None:
    told = {cells[0]: cells[2] for cells in docs_pages.rows(PAGE, "key")}
    config = service.load("name: hello\n")
    assert told["`deploy_target`"].startswith(f"`{config.deploy_target}` without it")
    assert told["`gcp_request_concurrency`"].startswith(f"{config.gcp_request_concurrency} without it")
    assert told["`memory_limit`"].endswith(f"{config.memory_limit}m without it")


@pytest.mark.parametrize("key", ["docker_bucket: b", "include_links: [a]"])
def test_what_is_said_to_bring_a_warning_does(service: Service, key: str) -> None:
    service.load(f"name: hello\n{key}\n")
    assert len(service.warnings) == 1


def test_every_target_of_pymdeploy_is_one() -> None:
    assert {"aws-beanstalk", "gcp-cloud-run", "gke"} <= set(TARGETS)
