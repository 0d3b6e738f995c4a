"""Rules of Cloud Run that concern more than one key, or more than a key's own type."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import Final

from curtainup.config import cloud_run_limits as limits
from curtainup.config.gcp_regions import CLOUD_RUN_REGIONS
from curtainup.config.models import EnvironmentConfig, ServiceConfig
from curtainup.config.places import place
from curtainup.config.problems import KeyPath, Problem

DEFAULT_CPUS: Final = 1.0
_RESERVED: Final = frozenset({"K_SERVICE", "K_REVISION", "K_CONFIGURATION"})
_REFUSED: Final = "Cloud Run would refuse the revision"


def cloud_run(config: ServiceConfig, environment: EnvironmentConfig) -> Iterator[Problem]:
    """Everything that Cloud Run would refuse of an environment."""
    if environment.deploy_target != "gcp-cloud-run":
        return
    yield from _region(config, environment)
    yield from _instances(config, environment)
    yield from _start(config, environment)
    yield from _reserved(config, environment)
    cpus = DEFAULT_CPUS if environment.cpus is None else environment.cpus
    size = limits.size(cpus, environment.gcp_memory, environment.gcp_request_concurrency)
    name = limits.service_name(f"{environment.service}-{environment.environment}")
    for refusal in (size, name):
        if refusal is not None:
            yield Problem(
                path=("name",) if refusal.key == "name" else place(config, environment, refusal.key),
                what=refusal.what,
                consequence="nothing could be named after it" if refusal.key == "name" else _REFUSED,
                fix=refusal.fix,
            )


def _region(config: ServiceConfig, environment: EnvironmentConfig) -> Iterator[Problem]:
    region = environment.gcp_region
    if region is None or region in CLOUD_RUN_REGIONS:
        return
    near = difflib.get_close_matches(region, CLOUD_RUN_REGIONS, n=3, cutoff=0.7)
    meant = " or ".join(f"`{one}`" for one in near)
    yield Problem(
        path=place(config, environment, "gcp_region"),
        what=f"{region!r} is not a region of Cloud Run",
        consequence="there is nowhere to deploy to",
        fix=f"did you mean {meant}?" if near else "`gcloud run regions list` names them",
    )


def _instances(config: ServiceConfig, environment: EnvironmentConfig) -> Iterator[Problem]:
    fewest, most = environment.gcp_min_instances, environment.gcp_max_instances
    if fewest > most:
        yield Problem(
            path=place(config, environment, "gcp_min_instances"),
            what=f"{fewest} is more than gcp_max_instances, which is {most}",
            consequence="the environment could not scale",
            fix=f"raise gcp_max_instances to {fewest} or lower gcp_min_instances",
        )


def _start(config: ServiceConfig, environment: EnvironmentConfig) -> Iterator[Problem]:
    if environment.start_timeout > limits.START_SECONDS:
        yield Problem(
            path=place(config, environment, "start_timeout"),
            what=f"{environment.start_timeout} is more than Cloud Run waits for a container: "
            f"{limits.START_SECONDS} seconds",
            consequence=_REFUSED,
            fix=f"write at most `start_timeout: {limits.START_SECONDS}`",
        )


def _reserved(config: ServiceConfig, environment: EnvironmentConfig) -> Iterator[Problem]:
    """Variables that Cloud Run sets by itself, besides those that every target sets."""
    section = config.environments.get(environment.environment)
    own = section.env if section is not None else {}
    above: KeyPath = ("environments", environment.environment)
    places = [(name, (*above, "env", name) if name in own else ("env", name)) for name in environment.env]
    listed = place(config, environment, "env_secrets")
    places += [(name, (*listed, at)) for at, name in enumerate(environment.env_secrets)]
    for name, path in places:
        if name in _RESERVED:
            yield Problem(
                path=path,
                what=f"{name} is set by Cloud Run",
                consequence=_REFUSED,
                fix="remove it, and use another name",
            )
