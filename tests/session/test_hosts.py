"""Which Docker host each environment of a service has."""

from __future__ import annotations

from pathlib import Path

import pytest

from curtainup.platforms.docker.hosts import HERE, Host, There
from curtainup.session import Session
from tests.sessions import world

APART = "environments: {staging: {docker_host: ssh://staging}, live: {docker_host: ssh://live}}\n"
STAGING_HERE = "environments: {live: {docker_host: ssh://live}}\n"
REVIEWS_APART = "docker_host: ssh://shop\nenvironments: {review: {docker_host: ssh://reviews}}\n"


def session(folder: Path, text: str) -> Session:
    return world(folder, text, environ={"DOCKER_HOST": "unix:///run/docker.sock"}).session


def shown(host: Host) -> str:
    return str(host) if isinstance(host, There) else host.variables.get("DOCKER_HOST", "")


@pytest.mark.parametrize(
    ("text", "hosts"),
    [
        (
            "docker_host: ssh://shop\n",
            {"staging": "ssh://shop", "live": "ssh://shop", "review-a": "ssh://shop"},
        ),
        (APART, {"staging": "ssh://staging", "live": "ssh://live", "review-a": "ssh://staging"}),
        (
            STAGING_HERE,
            {
                "staging": "unix:///run/docker.sock",
                "live": "ssh://live",
                "review-a": "unix:///run/docker.sock",
            },
        ),
        (REVIEWS_APART, {"staging": "ssh://shop", "live": "ssh://shop", "review-a": "ssh://reviews"}),
    ],
)
def test_an_environment_is_worked_on_where_it_runs(tmp_path: Path, text: str, hosts: dict[str, str]) -> None:
    found = session(tmp_path, text)
    assert {name: shown(found.at(name).accounts.host) for name in hosts} == hosts
    assert {shown(one.accounts.host) for one in found.everywhere} == set(hosts.values())


def test_what_is_not_an_environment_s_is_on_live_s_host(tmp_path: Path) -> None:
    found = session(tmp_path, APART)
    assert shown(found.accounts.host) == "ssh://live"
    assert found.at("live") is found.everywhere[0] is found
    assert found.at("staging").at("live") is found


def test_environments_of_one_host_share_everything(tmp_path: Path) -> None:
    found = session(tmp_path, "docker_host: ssh://shop\n")
    assert found.at("staging") is found.at("review-a") is found
    assert found.engines == (found.accounts.engine,)


def test_they_share_the_run_and_what_is_remembered(tmp_path: Path) -> None:
    found = session(tmp_path, APART)
    other = found.at("staging")
    assert other.run is found.run
    assert other.state.memory is found.state.memory
    assert [shown(one.host) for one in found.engines] == ["ssh://live", "ssh://staging"]


def test_without_one_the_engine_is_the_one_that_docker_s_clients_find(tmp_path: Path) -> None:
    assert session(tmp_path, "").accounts.host is HERE


def test_two_hosts_may_give_the_same_port(tmp_path: Path) -> None:
    """`world` refuses what is wrong with a configuration."""
    session(tmp_path, f"port: 8443\n{APART}")


def test_an_environment_in_a_cloud_has_no_docker_host_of_its_own(tmp_path: Path) -> None:
    cloud = "{deploy_target: aws-beanstalk, aws_region: eu-west-1}"
    found = session(tmp_path, f"environments: {{staging: {cloud}, live: {{docker_host: ssh://live}}}}\n")
    assert found.at("staging") is found.everywhere[0] is found
