"""The template of a Cloud Run service: everything that a revision runs with, from its release alone.

Pure functions of a release, so that a release that is rendered again is the same revision again.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
from pulumi_gcp import cloudrunv2

from components.environment import EnvironmentArgs
from curtainup.config import cloud_run_limits as limits
from curtainup.model.release import Release
from curtainup.model.release_settings import variables
from curtainup.model.targets.cloud_run import CloudRunSettings

PROBE_SECONDS = 2
"""How often a starting container is asked: a first request waits that much longer at most."""
GENERATION_1 = "EXECUTION_ENVIRONMENT_GEN1"
_RESERVED = frozenset({"PORT", "K_SERVICE", "K_REVISION", "K_CONFIGURATION"})


@dataclass(frozen=True)
class SecretReference:
    """One version of a secret in Secret Manager."""

    secret: pulumi.Input[str]
    version: pulumi.Input[str]


def template(
    args: EnvironmentArgs,
    release: Release,
    account: pulumi.Input[str],
    secrets: Mapping[str, SecretReference],
) -> cloudrunv2.ServiceTemplateArgs:
    """Return the template that makes the release's revision.

    Args:
        args: the environment, of which the names count alone.
        release: what the revision is.
        account: the e-mail address of the service account that it runs as.
        secrets: by the variable's name, where its value is.

    Raises:
        ValueError: Cloud Run has no such size, or waits for no such start; the key is named.

    """
    settings = runtime(release)
    return cloudrunv2.ServiceTemplateArgs(
        revision=revision_name(args, release),
        labels={
            **labels(args),
            "curtainup-release": release.id,
            "curtainup-version": label_value(release.version),
        },
        service_account=account,
        timeout=f"{settings.request_timeout}s",
        max_instance_request_concurrency=settings.concurrency,
        execution_environment=GENERATION_1 if settings.cpus < 1 else None,
        containers=[
            cloudrunv2.ServiceTemplateContainerArgs(
                image=release.image,
                ports=cloudrunv2.ServiceTemplateContainerPortsArgs(
                    name="http1", container_port=settings.container_port
                ),
                resources=_resources(settings),
                startup_probe=_startup_probe(settings),
                liveness_probe=_liveness_probe(settings),
                envs=_variables(release, secrets),
            )
        ],
    )


def runtime(release: Release) -> CloudRunSettings:
    """Return what the release runs with.

    Raises:
        ValueError: it is made for another target.

    """
    if not isinstance(release.settings, CloudRunSettings):
        raise ValueError(f"release {release.id} is not made for Cloud Run")
    return release.settings


def service_name(args: EnvironmentArgs) -> str:
    """Return the name of the environment's Cloud Run service.

    Raises:
        ValueError: Cloud Run does not allow it.

    """
    name = f"{args.settings.service}-{args.settings.name}"
    _accept(limits.service_name(name))
    return name


def revision_name(args: EnvironmentArgs, release: Release) -> str:
    """Return the name of a release's revision: the API wants the service's name before it."""
    return f"{service_name(args)}-{release.id}"


def check(release: Release) -> None:
    """Refuse what Cloud Run would refuse.

    Raises:
        ValueError: with the key to mend.

    """
    settings = runtime(release)
    _accept(limits.size(settings.cpus, settings.memory_mb, settings.concurrency))
    if settings.start_timeout > limits.START_SECONDS:
        raise ValueError(
            f"start_timeout: {settings.start_timeout} is more than Cloud Run waits for a container: "
            f"write at most {limits.START_SECONDS}"
        )


def labels(args: EnvironmentArgs) -> dict[str, str]:
    """Return the labels of everything that belongs to the environment."""
    return {"curtainup-service": args.settings.service, "curtainup-environment": args.settings.name}


def label_value(text: str) -> str:
    """Return a text as a label's value can hold it: small letters, digits, `-` and `_`, 63 at most."""
    return re.sub(r"[^a-z0-9_-]", "-", text.lower())[:63]


def plain_variables(release: Release) -> dict[str, str]:
    """Return the release's plain variables, without those that Cloud Run reserves and may set itself."""
    found = variables(release.settings, release.version)
    return {name: value for name, value in found.items() if name not in _RESERVED}


def _accept(refusal: limits.Refusal | None) -> None:
    if refusal is not None:
        raise ValueError(f"{refusal.key}: {refusal.what}: {refusal.fix}")


def _resources(settings: CloudRunSettings) -> cloudrunv2.ServiceTemplateContainerResourcesArgs:
    """Processors are billed while a request is served: the provider would send `false` by itself."""
    return cloudrunv2.ServiceTemplateContainerResourcesArgs(
        limits={"cpu": limits.cpu_quantity(settings.cpus), "memory": f"{settings.memory_mb}Mi"},
        cpu_idle=True,
        startup_cpu_boost=True,
    )


def _startup_probe(settings: CloudRunSettings) -> cloudrunv2.ServiceTemplateContainerStartupProbeArgs:
    return cloudrunv2.ServiceTemplateContainerStartupProbeArgs(
        http_get=cloudrunv2.ServiceTemplateContainerStartupProbeHttpGetArgs(
            path=settings.health_path, port=settings.container_port
        ),
        initial_delay_seconds=0,
        period_seconds=PROBE_SECONDS,
        timeout_seconds=PROBE_SECONDS,
        failure_threshold=math.ceil(settings.start_timeout / PROBE_SECONDS),
    )


def _liveness_probe(settings: CloudRunSettings) -> cloudrunv2.ServiceTemplateContainerLivenessProbeArgs:
    return cloudrunv2.ServiceTemplateContainerLivenessProbeArgs(
        http_get=cloudrunv2.ServiceTemplateContainerLivenessProbeHttpGetArgs(
            path=settings.health_path, port=settings.container_port
        ),
        initial_delay_seconds=0,
        period_seconds=30,
        timeout_seconds=6,
        failure_threshold=3,
    )


def _variables(
    release: Release, secrets: Mapping[str, SecretReference]
) -> list[cloudrunv2.ServiceTemplateContainerEnvArgs]:
    """Return the variables in the order of their names."""
    named = {
        name: cloudrunv2.ServiceTemplateContainerEnvArgs(name=name, value=value)
        for name, value in plain_variables(release).items()
    }
    for name, reference in secrets.items():
        named[name] = cloudrunv2.ServiceTemplateContainerEnvArgs(
            name=name,
            value_source=cloudrunv2.ServiceTemplateContainerEnvValueSourceArgs(
                secret_key_ref=cloudrunv2.ServiceTemplateContainerEnvValueSourceSecretKeyRefArgs(
                    secret=reference.secret, version=reference.version
                )
            ),
        )
    return [named[name] for name in sorted(named)]
