"""The models that `load` returns: a service's settings, and those of one of its environments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pydantic import TypeAdapter

from curtainup.config.beanstalk import BeanstalkSettings
from curtainup.config.cloud_run import CloudRunSettings
from curtainup.config.docker import DockerSettings
from curtainup.config.keys import EnvironmentName, KeyDoc, key
from curtainup.config.runtime import RuntimeSettings
from curtainup.config.service import IdentitySettings, ServiceReads, ToolSettings
from curtainup.config.tasks import TaskSettings

STANDARD_ENVIRONMENTS: Final = ("staging", "live")


class EnvironmentSettings(RuntimeSettings, TaskSettings, DockerSettings, CloudRunSettings, BeanstalkSettings):
    """Every key that an environment's section may override."""


class EnvironmentConfig(EnvironmentSettings):
    """Settings of one environment: its section over the top level.

    `service` and `environment` are the two names; everything else is a key of `pym-config.yaml`.
    """

    service: str
    environment: str


class ServiceConfig(EnvironmentSettings, IdentitySettings, ToolSettings, ServiceReads):
    """A whole `pym-config.yaml`, validated.

    Keys that an environment may override are read through `for_environment`. `environments` holds the
    sections as written; what a section leaves out is not in its `model_fields_set`.
    """

    environments: dict[EnvironmentName, EnvironmentSettings] = key(
        {},
        "A section per environment: `staging`, `live` or a review environment. It overrides the top level.",
        KeyDoc(
            expects="a mapping of environment names to sections",
            wrong="the environments would all be the same",
            example="{live: {port: 8443}}",
            shown="all environments are the same",
        ),
    )

    def for_environment(self, name: str) -> EnvironmentConfig:
        """The merged settings of the environment called `name`, which need not have a section.

        `env` is merged variable by variable; every other key of the section replaces that of the top level.

        Raises:
            pydantic.ValidationError: `name` is not the name of an environment.

        """
        _ENVIRONMENT_NAME.validate_python(name)
        values = {field: getattr(self, field) for field in EnvironmentSettings.model_fields}
        section = self.environments.get(name)
        if section is not None:
            values |= {field: getattr(section, field) for field in section.model_fields_set}
            values["env"] = _merged(self.env, section.env)
        return EnvironmentConfig.model_construct(service=self.name, environment=name, **values)


_ENVIRONMENT_NAME: Final[TypeAdapter[str]] = TypeAdapter(EnvironmentName)


def _merged(base: Mapping[str, str], section: Mapping[str, str]) -> dict[str, str]:
    return {**base, **section}
