"""The schedules of the release that works, on Cloud Run: Cloud Scheduler calls, and a Cloud Run job runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi_gcp import cloudrunv2, cloudscheduler, serviceaccount

from components.cloud_run import job as cloud_run_job
from components.cloud_run.template import SecretReference, runtime, service_name
from components.environment import EnvironmentArgs
from components.names import shortened
from curtainup.model.release import Release
from curtainup.model.schedule import Schedule, schedules_of
from curtainup.model.targets.cloud_run import CloudRunEnvironment

ACCOUNT_LENGTH = 30
INVOKER = "roles/run.invoker"
"""Holds `run.jobs.run`. Source: https://cloud.google.com/run/docs/execute/jobs-on-schedule"""
SCOPE = "https://www.googleapis.com/auth/cloud-platform"
ANSWER_SECONDS = 180
"""How long Cloud Run may take to say that it has begun; the run itself is not waited for."""
UTC = "Etc/UTC"
"""What Cloud Scheduler has as its default."""


@dataclass(frozen=True)
class SchedulesArgs:
    """What an environment's schedules are made from.

    Attributes:
        environment: the environment.
        settings: of it.
        account: the e-mail address of the service account that runs run as.
        secrets: by release id and variable, where its value is.
        apis: what makes Google's APIs answer.
        after: what gives the release its traffic, and lets its containers read their secrets.

    """

    environment: EnvironmentArgs
    settings: CloudRunEnvironment
    account: pulumi.Input[str]
    secrets: Mapping[str, Mapping[str, SecretReference]]
    apis: Sequence[pulumi.Resource]
    after: Sequence[pulumi.Resource]


class Schedules(pulumi.ComponentResource):
    """What starts the schedules of the release that works, and what they run in.

    Cloud Scheduler calls `jobs.run` of a schedule's Cloud Run job when it is due, as a service account that
    may do nothing else. A call that fails is not made again: its answer may be lost, and the run be on its
    way. The jobs keep their names from release to release, and a run that is on its way keeps the image that
    it began with. The account is there before any release is.

    Attributes:
        details: for the driver.

    """

    details: Mapping[str, pulumi.Input[Any]]

    def __init__(self, name: str, args: SchedulesArgs, opts: pulumi.ResourceOptions) -> None:
        super().__init__("curtainup:cloud_run:Schedules", f"{name}.schedules", None, opts)
        self._options = pulumi.ResourceOptions(parent=self, provider=opts.provider)
        caller = self._create_caller(name, args)
        works, jobs = args.environment.deployment.at_work(), {}
        if works is not None:
            for one in runtime(works).schedules:
                jobs[one.name] = self._create_schedule(f"{name}-{one.name}", args, works, one, caller)
        self.details = {"scheduler": caller.email, "schedules": {key: job.id for key, job in jobs.items()}}
        self.register_outputs(dict(self.details))

    def _with(self, **changed: Any) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions.merge(self._options, pulumi.ResourceOptions(**changed))

    def _create_caller(self, name: str, args: SchedulesArgs) -> serviceaccount.Account:
        service = service_name(args.environment)
        return serviceaccount.Account(
            f"{name}-scheduler",
            serviceaccount.AccountArgs(
                account_id=caller_id(service), display_name=f"Cloud Scheduler for {service}"
            ),
            opts=self._with(depends_on=args.apis),
        )

    def _create_schedule(
        self,
        name: str,
        args: SchedulesArgs,
        release: Release,
        schedule: Schedule,
        caller: serviceaccount.Account,
    ) -> cloudrunv2.Job:
        """Create the job of a schedule, the right to run it, and what runs it; return the first."""
        job = cloudrunv2.Job(
            f"{name}-schedule",
            cloud_run_job.job(
                args.environment,
                args.settings,
                release,
                args.account,
                args.secrets.get(release.id, {}),
                schedule,
            ),
            opts=self._with(depends_on=args.after),
        )
        granted = cloudrunv2.JobIamMember(
            f"{name}-invoker",
            cloudrunv2.JobIamMemberArgs(
                name=job.name,
                location=args.settings.region,
                role=INVOKER,
                member=caller.email.apply(lambda email: f"serviceAccount:{email}"),
            ),
            opts=self._options,
        )
        cloudscheduler.Job(
            f"{name}-call",
            call(args, schedule, job.id, caller.email),
            opts=self._with(depends_on=[granted]),
        )
        return job


def call(
    args: SchedulesArgs, schedule: Schedule, job: pulumi.Input[str], caller: pulumi.Input[str]
) -> cloudscheduler.JobArgs:
    """Return the job of Cloud Scheduler that runs a Cloud Run job.

    Google's APIs take OAuth tokens, and no identity tokens
    (https://cloud.google.com/scheduler/docs/http-target-auth).

    Args:
        args: the environment.
        schedule: when it calls.
        job: the full name of the Cloud Run job.
        caller: the e-mail address of the service account that calls.

    """
    url = pulumi.Output.from_input(job).apply(lambda name: f"https://run.googleapis.com/v2/{name}:run")
    return cloudscheduler.JobArgs(
        name=cloud_run_job.schedule_name(args.environment, schedule),
        region=args.settings.region,
        description=f"Runs {schedule.name} of {service_name(args.environment)}",
        schedule=schedule.cron.upper(),
        time_zone=UTC if schedule.timezone == "UTC" else schedule.timezone,
        attempt_deadline=f"{ANSWER_SECONDS}s",
        retry_config=cloudscheduler.JobRetryConfigArgs(
            retry_count=0,
            max_retry_duration="0s",
            min_backoff_duration="5s",
            max_backoff_duration="3600s",
            max_doublings=5,
        ),
        http_target=cloudscheduler.JobHttpTargetArgs(
            http_method="POST",
            uri=url,
            oauth_token=cloudscheduler.JobHttpTargetOauthTokenArgs(service_account_email=caller, scope=SCOPE),
        ),
    )


def caller_id(service: str) -> str:
    """Return the id of the service account that calls: 30 characters at most."""
    return shortened(f"{service}-scheduler", ACCOUNT_LENGTH)


def has_schedules(args: EnvironmentArgs, settings: CloudRunEnvironment) -> bool:
    """Return whether the environment has schedules, or a release that could come back has any."""
    return settings.schedules or any(schedules_of(one.settings) for one in args.deployment.releases)
