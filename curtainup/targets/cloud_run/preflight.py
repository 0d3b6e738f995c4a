"""Asking Cloud Run whether it would take a service as configured, before anything is built.

Follows `projects.locations.services.create` and `.patch` of the Cloud Run Admin API with `validateOnly`:
"Indicates that the request should be validated and default values populated, without persisting the request
or creating any resources." So Cloud Run judges names, sizes, limits and what the project's quota and the
organisation's policies say of them.

Some of a release is not known yet, and is left out: its image (Google's own example stands for it), its
revision's name, and the versions of its secrets. On a first deployment the service account is left out too,
as it is not made yet.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from curtainup.config import EnvironmentConfig, cloud_run_limits
from curtainup.errors import CurtainupError, RefusedError
from curtainup.model.targets.cloud_run import CloudRunEnvironment, CloudRunSettings
from curtainup.platforms.google.api import Api, Refused
from curtainup.targets import schedules
from curtainup.targets.cloud_run import refusals

IMAGE = "us-docker.pkg.dev/cloudrun/container/hello"
"""The image of Google's own quickstart, which every project may read."""
TAG = "r0000000"
"""As long as a release's id is, which is its tag."""
UNASKED = frozenset({"PORT", "K_SERVICE", "K_REVISION", "K_CONFIGURATION"})
STARTUP_PERIOD = 2
COMPLAINS = 400


def body(environment: CloudRunEnvironment, settings: CloudRunSettings) -> dict[str, Any]:
    """Return the message `Service` of the v2 API, as far as it is known before the image is built."""
    return {
        "labels": {"curtainup-service": environment.service, "curtainup-environment": environment.name},
        "ingress": "INGRESS_TRAFFIC_ALL",
        "invokerIamDisabled": not environment.public_grant,
        "scaling": {
            "minInstanceCount": environment.min_instances,
            "maxInstanceCount": environment.max_instances,
        },
        "template": {
            "timeout": f"{settings.request_timeout}s",
            "maxInstanceRequestConcurrency": settings.concurrency,
            **({"executionEnvironment": "EXECUTION_ENVIRONMENT_GEN1"} if settings.cpus < 1 else {}),
            "containers": [_container(settings)],
        },
        "traffic": [{"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST", "percent": 100, "tag": TAG}],
    }


def runtime(config: EnvironmentConfig) -> CloudRunSettings:
    """Return what a release runs with, by the configuration."""
    return CloudRunSettings(
        container_port=config.container_port,
        health_path=config.health_path,
        env=dict(config.env),
        memory_mb=config.gcp_memory,
        cpus=config.cpus or 1.0,
        concurrency=config.gcp_request_concurrency,
        request_timeout=config.request_timeout,
        start_timeout=config.start_timeout,
        schedules=schedules.wanted(config),
    )


def configured(
    service: str, project: str, config: EnvironmentConfig, ready_seconds: int
) -> CloudRunEnvironment:
    """Return an environment that has never been deployed, by the configuration."""
    return CloudRunEnvironment(
        service=service,
        name=config.environment,
        generation=0,
        project=project,
        region=str(config.gcp_region),
        min_instances=config.gcp_min_instances,
        max_instances=config.gcp_max_instances,
        ready_timeout=config.ready_timeout or ready_seconds,
        tasks=bool(config.tasks),
        schedules=bool(config.schedule),
        secret_names=tuple(sorted(config.env_secrets)),
        public_grant=bool(config.gcp_public_grant),
    )


def complaint(
    api: Api, environment: CloudRunEnvironment, settings: CloudRunSettings, *, exists: bool
) -> CurtainupError | None:
    """Return what Cloud Run has against an environment; None if nothing, or if it does not say.

    Args:
        api: Google's, with the deployer's headers.
        environment: as it is to be.
        settings: of the next release.
        exists: whether its service is there.

    Raises:
        SetupError: Google is not reached, or does not accept the credentials.

    """
    refused = ask(api, environment, settings, exists=exists)
    return judged(refused, environment) if refused else None


def ask(
    api: Api, environment: CloudRunEnvironment, settings: CloudRunSettings, *, exists: bool
) -> Refused | None:
    """Return with what Cloud Run refuses the question, or the service; the arguments are `complaint`'s."""
    name = f"{environment.service}-{environment.name}"
    place = f"projects/{environment.project}/locations/{environment.region}/services"
    method, path = ("PATCH", f"{place}/{name}?") if exists else ("POST", f"{place}?serviceId={name}&")
    try:
        api.run(method, f"{path}validateOnly=true", body(environment, settings))
    except Refused as refused:
        return refused
    return None


def require_scheduler(api: Api, environment: CloudRunEnvironment) -> None:
    """Check that Cloud Scheduler is offered in an environment's region; if Google does not say, it is.

    Raises:
        RefusedError: it is not.
        SetupError: Google is not reached, or does not accept the credentials.

    """
    if not environment.schedules:
        return
    try:
        regions = api.scheduler_regions(environment.project)
    except Refused:
        return  # a deployment enables the API
    if environment.region not in regions:
        raise no_scheduler(environment.region)


def no_scheduler(region: str) -> RefusedError:
    """Return the error for a region in which Cloud Scheduler is not offered."""
    return RefusedError(
        f"Cloud Scheduler is not offered in {region}, and it starts the schedules",
        where="gcp_region and schedule in pym-config.yaml",
        consequence="nobody would do their work",
        fix="write a region that `gcloud scheduler locations list` shows, or remove `schedule`",
    )


def judged(refused: Refused, environment: CloudRunEnvironment) -> CurtainupError | None:
    """Return the complaint; a refusal of the question itself, such as for a missing right, is none.

    A deployment enables the APIs, and makes the account and the grants, that are missing.
    """
    known = refusals.foreseen(refused.message)
    if refused.status != COMPLAINS and known is None:
        return None
    return RefusedError(
        known.what if known else "Cloud Run would refuse it",
        where=f"Cloud Run service {environment.service}-{environment.name}",
        consequence="Cloud Run was only asked, so nothing was built or changed",
        fix=known.fix if known else "change what Cloud Run names in pym-config.yaml",
        detail=refused.message,
    )


def _container(settings: CloudRunSettings) -> Mapping[str, Any]:
    variables = {**settings.env, "VERSION": "0"}
    port = settings.container_port
    asked = {"path": settings.health_path, "port": port}
    return {
        "image": IMAGE,
        "ports": [{"name": "http1", "containerPort": port}],
        "resources": {
            "limits": {
                "cpu": cloud_run_limits.cpu_quantity(settings.cpus),
                "memory": f"{settings.memory_mb}Mi",
            },
            "cpuIdle": True,
            "startupCpuBoost": True,
        },
        "startupProbe": {
            "httpGet": asked,
            "periodSeconds": STARTUP_PERIOD,
            "timeoutSeconds": STARTUP_PERIOD,
            "failureThreshold": math.ceil(settings.start_timeout / STARTUP_PERIOD),
        },
        "livenessProbe": {"httpGet": asked, "periodSeconds": 30, "timeoutSeconds": 6, "failureThreshold": 3},
        "env": [
            {"name": name, "value": variables[name]} for name in sorted(variables) if name not in UNASKED
        ],
    }
