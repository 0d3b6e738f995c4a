from __future__ import annotations

import subprocess
import sys

import pytest
from pydantic import ValidationError

from curtainup.config import EnvironmentConfig, EnvironmentSettings, ServiceConfig
from curtainup.config.secrets import needed_secrets
from tests.config.conftest import Service

TEXT = """\
name: hello
memory_limit: 256m
env: {LEVEL: info, REGION: eu}
env_secrets: [A]
environments:
  live:
    memory_limit: 1G
    env: {LEVEL: warning}
    env_secrets: [B]
"""


def test_a_section_overrides_and_variables_are_merged(service: Service) -> None:
    live = service.load(TEXT).for_environment("live")
    assert isinstance(live, EnvironmentConfig)
    assert (live.service, live.environment, live.memory_limit) == ("hello", "live", 1024)
    assert live.env == {"LEVEL": "warning", "REGION": "eu"}
    assert live.env_secrets == ("B",)


def test_an_environment_without_a_section_is_as_the_top_level(service: Service) -> None:
    review = service.load(TEXT).for_environment("review-7")
    assert (review.memory_limit, review.env_secrets) == (256, ("A",))
    assert review.env == {"LEVEL": "info", "REGION": "eu"}


def test_a_section_may_set_a_default_back(service: Service) -> None:
    config = service.load("name: hello\nstart_timeout: 9\nenvironments: {live: {start_timeout: 60}}\n")
    assert config.for_environment("live").start_timeout == 60
    assert config.for_environment("staging").start_timeout == 9


@pytest.mark.parametrize("name", ["", "Live", "a b", "x" * 21, "-x", "x\n"])
def test_only_names_of_environments_have_settings(name: str) -> None:
    with pytest.raises(ValidationError):
        ServiceConfig(name="hello").for_environment(name)


def test_models_do_not_change() -> None:
    with pytest.raises(ValidationError):
        ServiceConfig(name="hello").name = "other"


def test_every_setting_of_an_environment_is_also_one_of_the_top_level() -> None:
    assert set(EnvironmentSettings.model_fields) < set(ServiceConfig.model_fields)


def test_defaults_would_pass_their_own_validation() -> None:
    written = {"memory_limit": "512m", "gcp_memory": "512m", "review_ttl": "7d", "name": "hello"}
    defaults = {
        name: field.default for name, field in ServiceConfig.model_fields.items() if field.default is not None
    }
    assert ServiceConfig.model_validate(defaults | written) == ServiceConfig(name="hello")


def test_importing_the_configuration_loads_no_engine() -> None:
    heavy = ["pulumi", "docker", "rich", "requests", "typer"]
    code = f"import sys, curtainup.config; print(set({heavy}) & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_the_local_gate_has_the_first_environments_settings_and_its_section_over_them() -> None:
    config = ServiceConfig.model_validate(
        {
            "name": "shop",
            "env": {"A": "top", "B": "top"},
            "tasks": ("migrate",),
            "environments": {"staging": {"env": {"B": "staging"}}, "local": {"env": {"A": "local"}}},
        }
    )
    local = config.for_local("staging")
    assert local.env == {"A": "local", "B": "staging"}
    assert [task.command for task in local.tasks] == [("migrate",)]
    assert "local" not in config.environment_names


def test_a_clouds_tasks_run_at_the_local_gate_only_if_its_section_says_so() -> None:
    cloud = {"name": "shop", "deploy_target": "aws-beanstalk", "tasks": ("migrate",)}
    assert ServiceConfig.model_validate(cloud).for_local("staging").tasks == ()
    named = {**cloud, "environments": {"local": {"tasks": ("seed",)}}}
    assert [task.command for task in ServiceConfig.model_validate(named).for_local("staging").tasks] == [
        ("seed",)
    ]


def test_secrets_of_the_local_gate_are_needed_too() -> None:
    config = ServiceConfig.model_validate(
        {"name": "shop", "env_secrets": ("A",), "environments": {"local": {"env_secrets": ("B",)}}}
    )
    assert needed_secrets(config) == ("A", "B")
    assert needed_secrets(config, "review-x") == ("A", "B")
