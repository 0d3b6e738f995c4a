from __future__ import annotations

import pytest

from curtainup.config import ServiceConfig
from curtainup.config.models import EnvironmentSettings
from curtainup.rehearsal.no_accounts import without_accounts


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
