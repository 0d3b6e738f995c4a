"""The models that `load` returns: a service's settings, and those of one of its environments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pydantic import TypeAdapter

from curtainup.config import review
from curtainup.config.accessories import AccessoryKeys
from curtainup.config.beanstalk import BeanstalkKeys
from curtainup.config.build import BuildKeys
from curtainup.config.canary_metrics import MetricsSettings
from curtainup.config.cloud_run import CloudRunKeys
from curtainup.config.docker import DockerKeys
from curtainup.config.docker_beside import DockerBeside
from curtainup.config.door import DoorKeys
from curtainup.config.gke import GkeKeys
from curtainup.config.guard_rails import GuardRailSettings
from curtainup.config.keys import EnvironmentName, KeyDoc, key
from curtainup.config.kubernetes import KubernetesKeys
from curtainup.config.monorepo import MonorepoSettings
from curtainup.config.notify import NotifySettings
from curtainup.config.processes import ProcessKeys
from curtainup.config.review import ReviewSettings
from curtainup.config.runtime import RuntimeSettings
from curtainup.config.schedules import ScheduleKeys
from curtainup.config.secret_sources import SecretSources
from curtainup.config.service import IdentitySettings, ServiceReads, ToolSettings
from curtainup.config.tasks import TaskSettings

STANDARD_ENVIRONMENTS: Final = ("staging", "live")


class EnvironmentSettings(
    RuntimeSettings,
    TaskSettings,
    ProcessKeys,
    ScheduleKeys,
    MetricsSettings,
    DockerKeys,
    DockerBeside,
    AccessoryKeys,
    CloudRunKeys,
    BeanstalkKeys,
    KubernetesKeys,
    GkeKeys,
):
    """Every key that an environment's section may override."""


class EnvironmentConfig(EnvironmentSettings):
    """Settings of one environment: its section over the top level.

    `service` and `environment` are the two names; everything else is a key of `pym-config.yaml`.
    """

    service: str
    environment: str


class ServiceConfig(
    EnvironmentSettings,
    ReviewSettings,
    IdentitySettings,
    BuildKeys,
    SecretSources,
    GuardRailSettings,
    MonorepoSettings,
    DoorKeys,
    NotifySettings,
    ToolSettings,
    ServiceReads,
):
    """A whole `pym-config.yaml`, validated.

    Keys that an environment may override are read through `for_environment`. `environments` holds the
    sections as written; what a section leaves out is not in its `model_fields_set`.
    """

    environments: dict[EnvironmentName, EnvironmentSettings] = key(
        {},
        "A section for each environment: `staging`, `live` or `review-NAME`, `review` for all review "
        "environments, and `local` for the local gate. A section overrides the top level.",
        KeyDoc(
            expects="a mapping of environment names to sections",
            wrong="all environments would be the same",
            example="{live: {port: 8443}}",
            shown="all environments are the same",
        ),
    )

    def for_environment(self, name: str) -> EnvironmentConfig:
        """The merged settings of the environment called `name`, which need not have a section.

        `env` is merged variable by variable; every other key of the section replaces that of the top level.
        A review environment has staging's settings, but one small machine and a port of its own; over them
        go the section `review` and its own.

        Raises:
            pydantic.ValidationError: `name` is not the name of an environment.

        """
        _ENVIRONMENT_NAME.validate_python(name)
        values = {field: getattr(self, field) for field in EnvironmentSettings.model_fields}
        for section in self.sections_of(name).values():
            values |= {field: getattr(section, field) for field in section.model_fields_set} | {
                "env": _merged(values["env"], section.env)
            }
        return EnvironmentConfig.model_construct(service=self.name, environment=name, **values)

    def https_host(self, name: str) -> str | None:
        """The host as which an environment is reached over HTTPS; None if curtainup does not provide that."""
        environment = self.for_environment(name)
        if not environment.https or environment.deploy_target != "docker":
            return None
        host = {"live": self.live_host, "staging": self.staging_host}.get(name)
        return host.lower() if host else None

    def gateway_host(self, name: str) -> str | None:
        """The name for which a Gateway lets requests in to an environment; None lets in all."""
        own = {"live": self.live_host, "staging": self.staging_host}.get(name)
        domain = self.for_environment(name).gateway_domain
        host = own or (f"{self.name}-{name}.{domain}" if domain else None)
        return host.lower() if host else None

    def for_local(self, first: str) -> EnvironmentConfig:
        """The settings of the local gate: those of the first environment, and over them the section `local`.

        A cloud's tasks may need what this machine does not reach, so only the section gives it tasks there.

        Args:
            first: the environment that a run deploys to first.

        """
        base = self.for_environment(first)
        section = self.environments.get(review.LOCAL, EnvironmentSettings())
        changed = {field: getattr(section, field) for field in section.model_fields_set}
        if base.deploy_target != "docker":
            changed.setdefault("tasks", ())
        return base.model_copy(update=changed | {"env": _merged(base.env, section.env)})

    def sections_of(self, name: str) -> dict[str, EnvironmentSettings]:
        """The sections that an environment takes settings from, the weakest first, by their names.

        That of a review environment's own defaults, which no file holds, has none.
        """
        found: dict[str, EnvironmentSettings] = {}
        for section in review.sections(name):
            if section == review.SECTION:
                found[""] = _REVIEW
            if section in self.environments:
                found[section] = self.environments[section]
        return found

    @property
    def docker_hosts(self) -> tuple[str | None, ...]:
        """The Docker hosts of all environments, live's first; None is the one that Docker's clients find."""
        names = ["live", *self.environment_names, f"{review.PREFIX}0"]
        return tuple(dict.fromkeys(map(self.docker_host_of, names)))

    def docker_host_of(self, name: str) -> str | None:
        """The Docker host that works for an environment: its own, or live's if it runs on none."""
        environment = self.for_environment(name)
        own = environment.deploy_target == "docker"
        return environment.docker_host if own else self.for_environment("live").docker_host

    @property
    def environment_names(self) -> tuple[str, ...]:
        """Staging, live, and the other environments that have a section of their own."""
        named = [name for name in self.environments if name not in {review.SECTION, review.LOCAL}]
        return tuple(dict.fromkeys((*STANDARD_ENVIRONMENTS, *named)))


_REVIEW: Final = EnvironmentSettings(
    port=None,
    volumes=(),
    keep=0,
    gcp_min_instances=0,
    aws_hosts_min=1,
    aws_hosts_max=1,
    replicas=1,
    max_replicas=None,
)

_ENVIRONMENT_NAME: Final[TypeAdapter[str]] = TypeAdapter(EnvironmentName)


def _merged(base: Mapping[str, str], section: Mapping[str, str]) -> dict[str, str]:
    return {**base, **section}
