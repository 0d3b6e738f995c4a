"""Rules that concern more than one key: what a target requires, refuses or does not heed."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator
from typing import Final
from urllib.parse import urlsplit

from curtainup.config import review, secret_sources
from curtainup.config.beanstalk import BeanstalkKeys
from curtainup.config.canary_metrics import of_metrics, of_server
from curtainup.config.checks import build
from curtainup.config.checks.accessories import accessories
from curtainup.config.checks.beanstalk import beanstalk
from curtainup.config.checks.beside import beside
from curtainup.config.checks.cloud_run import cloud_run
from curtainup.config.checks.freeze import freezes
from curtainup.config.checks.https import https
from curtainup.config.checks.kubernetes import kubernetes
from curtainup.config.checks.processes import processes
from curtainup.config.checks.schedules import schedules
from curtainup.config.checks.shared import bounds
from curtainup.config.checks.variables import sizes
from curtainup.config.keys import RESERVED_VARIABLES
from curtainup.config.models import (
    STANDARD_ENVIRONMENTS,
    EnvironmentConfig,
    EnvironmentSettings,
    ServiceConfig,
)
from curtainup.config.reading.places import place
from curtainup.config.reading.problems import KeyPath, Problem
from curtainup.config.secrets import secret_names
from curtainup.config.service import ServiceReads
from curtainup.config.tasks import repeated

_NAMES_SECRETS: Final = frozenset({"metrics_token_env", "metrics_password_env"})
"""Keys whose value is the name of a secret."""
_REQUIRED: Final = {"gcp-cloud-run": ("docker_repo", "gcp_region"), "gke": ("docker_repo", "gcp_region")}
_CONSEQUENCES: Final = {
    "docker_repo": "curtainup could not push the image anywhere",
    "gcp_region": "curtainup would not know where to deploy",
}
_FIXES: Final = {"docker_repo": "`docker_repo: my-project`", "gcp_region": "`gcp_region: europe-west1`"}


def mistakes(config: ServiceConfig) -> list[Problem]:
    """Everything that stops a deployment though each key by itself is right."""
    found = [
        *_reserved(config),
        *_plain_and_secret(config),
        *_secret_names_as_values(config),
        *_shared_ports(config),
        *_names(config),
        *_task_names(config),
        *freezes(config),
        *build.mistakes(config),
        *_metrics(config),
        *secret_sources.mistakes(config.secrets_from, set(secret_names(config))),
    ]
    for environment in _environments(config):
        for rule in _RULES:
            found.extend(rule(config, environment))
    return list(dict.fromkeys(found))


def oddities(config: ServiceConfig) -> list[Problem]:
    """What is worth a warning: obsolete, ignored, or surely not meant."""
    rules = (
        _obsolete,
        _ignored,
        _open_secret,
        _near_names,
        _meant_beanstalk,
        _never_asked,
        build.oddities,
    )
    return list(dict.fromkeys(problem for rule in rules for problem in rule(config)))


def _environments(config: ServiceConfig) -> list[EnvironmentConfig]:
    names = dict.fromkeys((*STANDARD_ENVIRONMENTS, *config.environments))
    return [config.for_environment(name) for name in names]


def _levels(config: ServiceConfig) -> Iterator[tuple[KeyPath, EnvironmentSettings]]:
    yield (), config
    for name, section in config.environments.items():
        yield ("environments", name), section


def _required(config: ServiceConfig, environment: EnvironmentConfig) -> Iterator[Problem]:
    target = environment.deploy_target
    for name in _REQUIRED.get(target, ()):
        if getattr(environment, name, None) is None and getattr(config, name) is None:
            yield Problem(
                path=(name,),
                what=f"is missing, and {target} needs it",
                consequence=_CONSEQUENCES[name],
                fix=f"add e.g. {_FIXES[name]}",
            )


def _no_background_work(config: ServiceConfig, environment: EnvironmentConfig) -> Iterator[Problem]:
    """Cloud Run gives a container no processor between requests."""
    if config.with_async and environment.deploy_target == "gcp-cloud-run":
        yield Problem(
            path=("with_async",),
            what="is not possible on gcp-cloud-run, where a container only works while it answers a request",
            consequence="background tasks would stop half done",
            fix="deploy to another target, or run the tasks elsewhere and write `with_async: false`",
        )


def _hosts(config: ServiceConfig, environment: EnvironmentConfig) -> Iterator[Problem]:
    return bounds(config, environment, "aws_hosts_min", "aws_hosts_max")


def _no_canary(config: ServiceConfig, environment: EnvironmentConfig) -> Iterator[Problem]:
    if environment.canary and environment.deploy_target == "aws-beanstalk":
        yield Problem(
            path=place(config, environment, "canary"),
            what="is not possible on aws-beanstalk, where traffic moves by a swap of names",
            consequence="there a release gets all traffic or none",
            fix="remove it, or write `canary: []` in the environment's section",
        )


def _metrics_server(config: ServiceConfig, environment: EnvironmentConfig) -> Iterator[Problem]:
    for name, what, fix in of_server(environment):
        path = place(config, environment, name)
        yield Problem(path=path, what=what, consequence="the canary could not be judged", fix=fix)
    if environment.canary_metrics and environment.canary and not environment.canary_every:
        yield Problem(
            path=place(config, environment, "canary"),
            what="has steps that last for a few requests, and canary_metrics need time",
            consequence="the canary could not be judged",
            fix="add e.g. `canary_every: 5m`",
        )


_RULES: Final[tuple[Callable[[ServiceConfig, EnvironmentConfig], Iterator[Problem]], ...]] = (
    _required,
    _no_background_work,
    _hosts,
    _no_canary,
    _metrics_server,
    cloud_run,
    beanstalk,
    kubernetes,
    processes,
    schedules,
    https,
    beside,
    accessories,
    sizes,
    build.platform,
)


def _shared_ports(config: ServiceConfig) -> Iterator[Problem]:
    taken: dict[tuple[str | None, int], str] = {}
    for environment in _environments(config):
        port, name = environment.port, environment.environment
        if port is None or environment.deploy_target != "docker":
            continue
        other = taken.setdefault((environment.docker_host, port), name)
        if other != name:
            yield Problem(
                path=place(config, environment, "port"),
                what=f"{port} is given to both {other} and {name}",
                consequence="one of them could not start",
                fix=f"give each a port of its own, e.g. `environments: {{{other}: {{port: {port}}}, "
                f"{name}: {{port: {_another(port)}}}}}`",
            )


def _another(port: int) -> int:
    return port + 1 if port < 65535 else port - 1


def _reserved(config: ServiceConfig) -> Iterator[Problem]:
    """Variables that every target sets by itself."""
    for path, settings in _levels(config):
        named: list[tuple[str, KeyPath]] = [(name, (*path, "env", name)) for name in settings.env]
        named += [(name, (*path, "env_secrets", at)) for at, name in enumerate(settings.env_secrets)]
        for name, at_path in named:
            if name in RESERVED_VARIABLES:
                instead = "container_port" if name == "PORT" else "another name"
                yield Problem(
                    path=at_path,
                    what=f"{name} is set by curtainup",
                    consequence="the service would get two different values",
                    fix=f"remove it, and use {instead}",
                )


def _plain_and_secret(config: ServiceConfig) -> Iterator[Problem]:
    for environment in _environments(config):
        for name in environment.env_secrets:
            if name in environment.env:
                layers = reversed(config.sections_of(environment.environment).items())
                holder = next((one for one, section in layers if name in section.env), None)
                above: KeyPath = ("environments", holder) if holder else ()
                yield Problem(
                    path=(*above, "env", name),
                    what="is also listed in env_secrets",
                    consequence="the container could get the plain value in place of the secret",
                    fix="remove it from one of the two",
                )


def _secret_names_as_values(config: ServiceConfig) -> Iterator[Problem]:
    """A secret's name stands for its value only where the service itself reads the file."""
    names = {name for _, settings in _levels(config) for name in settings.env_secrets}
    for path, settings in _levels(config):
        for field in sorted(settings.model_fields_set - set(ServiceReads.model_fields) - _NAMES_SECRETS):
            value = getattr(settings, field)
            if isinstance(value, str) and value in names:
                yield _secret_name(
                    (*path, field), "curtainup would use the name itself, not the secret", "its value"
                )
        for variable, value in settings.env.items():
            if value in names:
                yield _secret_name(
                    (*path, "env", variable),
                    "the container would get the name, not the secret",
                    "another value",
                )


def _secret_name(path: KeyPath, consequence: str, instead: str) -> Problem:
    return Problem(
        path=path,
        what="is the name of a secret in env_secrets",
        consequence=consequence,
        fix=f"write {instead}; the container gets each secret under its own name",
    )


def _names(config: ServiceConfig) -> Iterator[Problem]:
    if "image" in config.environments:
        yield Problem(
            path=("environments", "image"),
            what="cannot be an environment's name: the image's stack has it",
            consequence="two stacks would have the same name",
            fix="use another name",
        )
    everywhere = config.environments.get(review.SECTION)
    if everywhere is not None and everywhere.port is not None:
        yield Problem(
            path=("environments", review.SECTION, "port"),
            what="is the same for all review environments",
            consequence="only the first of them could start",
            fix="remove it: curtainup gives each a port of its own",
        )


def _task_names(config: ServiceConfig) -> Iterator[Problem]:
    for path, settings in _levels(config):
        yield from repeated((*path, "tasks"), settings.tasks)


def _metrics(config: ServiceConfig) -> Iterator[Problem]:
    for path, settings in _levels(config):
        yield from of_metrics((*path, "canary_metrics"), settings.canary_metrics)


def _obsolete(config: ServiceConfig) -> Iterator[Problem]:
    if config.docker_bucket is not None:
        yield Problem(
            path=("docker_bucket",),
            what="is obsolete: curtainup pushes with the credentials of `docker login`, and ECR needs none",
            consequence="curtainup ignores it",
            fix="remove it; docker_repo says where images go",
        )
    host = urlsplit(config.live_url or "").hostname
    if config.live_host is not None and host is not None and config.live_host.split(":")[0].lower() != host:
        yield Problem(
            path=("live_host",),
            what=f"is not the host of live_url, which is {host}",
            consequence="curtainup uses the host of live_url",
            fix="remove live_host",
        )


def _ignored(config: ServiceConfig) -> Iterator[Problem]:
    for path, settings in _levels(config):
        if settings.include_links:
            yield Problem(
                path=(*path, "include_links"),
                what="is not supported: curtainup links no containers",
                consequence="curtainup ignores it, and the service cannot find them by these names",
                fix="remove it, and give the service their addresses in `env`",
            )


def _meant_beanstalk(config: ServiceConfig) -> Iterator[Problem]:
    """Without `deploy_target` pymdeploy deployed to Beanstalk, whose keys then stand in the file."""
    if any("deploy_target" in settings.model_fields_set for _, settings in _levels(config)):
        return
    given = [
        (*path, name)
        for path, settings in _levels(config)
        for name in sorted(settings.model_fields_set & set(BeanstalkKeys.model_fields))
    ]
    if given:
        yield Problem(
            path=given[0],
            what="is for aws-beanstalk, and the file has no deploy_target",
            consequence="pymdeploy deployed to Beanstalk then; curtainup deploys to Docker on this machine",
            fix="write `deploy_target: aws-beanstalk`, or `deploy_target: docker` if that is what you want",
        )


def _open_secret(config: ServiceConfig) -> Iterator[Problem]:
    listed = {name for _, settings in _levels(config) for name in settings.env_secrets}
    if config.jwt_secret is not None and config.jwt_secret not in listed:
        yield Problem(
            path=("jwt_secret",),
            what="is not a name in env_secrets",
            consequence="if it is the secret itself, everyone who reads this file knows it",
            fix="put it in a variable, list the variable in env_secrets, and write its name here",
        )


def _never_asked(config: ServiceConfig) -> Iterator[Problem]:
    live = config.for_environment("live")
    if live.canary_metrics and not live.canary:
        yield Problem(
            path=place(config, live, "canary_metrics"),
            what="are asked for at the steps of `canary`, and live has none",
            consequence="a deployment without --canary is not judged by them",
            fix="add e.g. `canary: [10, 50]` and `canary_every: 5m`",
        )


def _near_names(config: ServiceConfig) -> Iterator[Problem]:
    for name in config.environments:
        near = difflib.get_close_matches(name, STANDARD_ENVIRONMENTS, n=1, cutoff=0.75)
        if near and name not in STANDARD_ENVIRONMENTS:
            yield Problem(
                path=("environments", name),
                what=f"looks like {near[0]}, but is not the same",
                consequence=f"{near[0]} does not get these settings",
                fix=f"rename it to `{near[0]}`, unless it is a review environment",
            )
