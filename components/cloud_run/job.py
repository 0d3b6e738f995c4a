"""The Cloud Run job in which a release's tasks run, or one of its schedules: a pure function of the release.

It holds what a task runs with; which command, and for how long, is said with each execution (`jobs.run` of
the v2 API, with overrides), so that one job does for all tasks. Cloud Scheduler says neither, so the job of a
schedule holds both.
"""

from __future__ import annotations

from collections.abc import Mapping

import pulumi
from pulumi_gcp import cloudrunv2

from components.cloud_run.template import (
    SecretReference,
    label_value,
    labels,
    plain_variables,
    revision_name,
    runtime,
    service_name,
)
from components.environment import EnvironmentArgs
from components.names import shortened
from curtainup.config import cloud_run_limits as limits
from curtainup.model.release import Release
from curtainup.model.schedule import Schedule
from curtainup.model.targets.cloud_run import CloudRunEnvironment

NAME_LENGTH = 63
LEAST_CPUS = 1.0
LEAST_MEMORY = 512
"""MiB, of the second generation's execution environment, in which all jobs run."""


def job_name(args: EnvironmentArgs, release: Release) -> str:
    """Return the job's name; of 63 characters that it may have, 13 are not the service's."""
    return f"{revision_name(args, release)}-job"


def schedule_name(args: EnvironmentArgs, schedule: Schedule) -> str:
    """Return the name of a schedule's jobs, the one of Cloud Run and the one of Cloud Scheduler.

    All releases have it, so that the grant to run the job, which takes minutes, is made once.
    """
    return shortened(f"{service_name(args)}-{schedule.name}-schedule", NAME_LENGTH)


def job(
    args: EnvironmentArgs,
    settings: CloudRunEnvironment,
    release: Release,
    account: pulumi.Input[str],
    secrets: Mapping[str, SecretReference],
    schedule: Schedule | None = None,
) -> cloudrunv2.JobArgs:
    """Return the job that runs a release's tasks, or a schedule of it, with its image, variables and secrets.

    It has the release's size, or the least that a job may have. What failed is not tried again.

    Args:
        args: the environment, of which the names count alone.
        settings: where it is.
        release: whose tasks are run.
        account: the e-mail address of the service account that it runs as.
        secrets: by the variable's name, where its value is.
        schedule: what it runs if it is not for tasks.

    """
    size = runtime(release)
    container = cloudrunv2.JobTemplateTemplateContainerArgs(
        image=release.image,
        args=list(schedule.command) if schedule else None,
        resources=cloudrunv2.JobTemplateTemplateContainerResourcesArgs(
            limits={
                "cpu": limits.cpu_quantity(max(size.cpus, LEAST_CPUS)),
                "memory": f"{max(size.memory_mb, LEAST_MEMORY)}Mi",
            }
        ),
        envs=_variables(release, secrets),
    )
    return cloudrunv2.JobArgs(
        name=schedule_name(args, schedule) if schedule else job_name(args, release),
        location=settings.region,
        labels=labels(args),
        deletion_protection=False,
        template=cloudrunv2.JobTemplateArgs(
            labels={
                **labels(args),
                "curtainup-release": release.id,
                "curtainup-version": label_value(release.version),
            },
            task_count=1,
            parallelism=1,
            template=cloudrunv2.JobTemplateTemplateArgs(
                containers=[container],
                service_account=account,
                max_retries=0,
                timeout=f"{schedule.time_limit}s" if schedule else None,
            ),
        ),
    )


def _variables(
    release: Release, secrets: Mapping[str, SecretReference]
) -> list[cloudrunv2.JobTemplateTemplateContainerEnvArgs]:
    """Return the variables in the order of their names."""
    named = {
        name: cloudrunv2.JobTemplateTemplateContainerEnvArgs(name=name, value=value)
        for name, value in plain_variables(release).items()
    }
    for name, one in secrets.items():
        named[name] = cloudrunv2.JobTemplateTemplateContainerEnvArgs(
            name=name,
            value_source=cloudrunv2.JobTemplateTemplateContainerEnvValueSourceArgs(
                secret_key_ref=cloudrunv2.JobTemplateTemplateContainerEnvValueSourceSecretKeyRefArgs(
                    secret=one.secret, version=one.version
                )
            ),
        )
    return [named[name] for name in sorted(named)]
