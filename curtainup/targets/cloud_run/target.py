"""The driver's half of an environment on Cloud Run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING

from curtainup.errors import CurtainupError, SetupError, TrafficReturned
from curtainup.model.schedule import schedules_of
from curtainup.model.targets.cloud_run import CloudRunEnvironment, CloudRunSettings
from curtainup.platforms.google.account import project_of
from curtainup.platforms.google.api import Api, Endpoints, Refused
from curtainup.platforms.google.auth_proxy import door
from curtainup.setup import cloud_provider
from curtainup.targets import command
from curtainup.targets.capabilities import (
    Asks,
    Bills,
    Confirms,
    Interrupts,
    NeedsAccount,
    NeedsGround,
    StartsPrivate,
)
from curtainup.targets.cloud_run import READY_SECONDS, opening, preflight, refusals, unseen
from curtainup.targets.runs import Executes, RunsSchedules, RunsTasks
from curtainup.targets.schedules import in_order
from curtainup.targets.target import Target, displaced
from curtainup.targets.updates import Explains, Lags, Reclaims

if TYPE_CHECKING:
    from curtainup.config.tasks import Task
    from curtainup.model.contract import EnvironmentSettings
    from curtainup.model.environment import Environment
    from curtainup.model.release import Deployment, Release
    from curtainup.model.schedule import Schedule
    from curtainup.model.schedule_run import ScheduleRun
    from curtainup.platforms.google.jobs import Jobs
    from curtainup.targets.command import Asked
    from curtainup.targets.task_result import Ran

IDENTITY_HEADER = "X-Serverless-Authorization"
"""Cloud Run takes the identity from it and leaves `Authorization` to the service."""


class CloudRunTarget(
    Target,
    NeedsAccount,
    Asks,
    NeedsGround,
    Interrupts,
    StartsPrivate,
    Confirms,
    RunsTasks,
    RunsSchedules,
    Executes,
    Explains,
    Reclaims,
    Lags,
    Bills,
):
    """A Cloud Run service with a revision per release."""

    def require_ready(self) -> None:
        """Check that there are credentials and the engine's plugin; a rehearsal has its own of both.

        Raises:
            SetupError: one of them is missing.

        """
        self._session.accounts.google.access_token()
        if self._session.accounts.rehearsal is None:
            cloud_provider.require("gcp")

    def complaint(self) -> CurtainupError | None:
        """Return what Cloud Run has against the service as configured."""
        exists = bool(self.environment.deployment.releases)
        return preflight.complaint(self._api(), self.settings(), self.runtime(), exists=exists)

    def runtime(self) -> CloudRunSettings:
        """Return what a release runs with today."""
        return preflight.runtime(self.config)

    def settings(self) -> CloudRunEnvironment:
        """Return the environment's settings.

        Raises:
            RefusedError: project or region are others than those where the environment serves.

        """
        config, service = self.config, self._session.service.config
        current = self.environment.settings
        project = project_of(str(service.docker_repo))
        wanted = preflight.configured(service.name, project, config, READY_SECONDS).model_copy(
            update={"generation": current.generation if current else 0}
        )
        if (known := self.known(CloudRunEnvironment)) is not None:
            if config.gcp_public_grant is None:
                wanted = wanted.model_copy(update={"public_grant": known.public_grant})
            self._require_same_place(known, wanted)
        return wanted

    def lacks_ground(self) -> bool:
        """Return whether the APIs, an identity or the grant on a secret are missing."""
        outputs = self.environment.outputs
        granted = outputs.get("granted")
        if granted is None or (self.config.schedule and "scheduler" not in outputs):
            return True
        return not set(self.config.env_secrets) <= set(granted)

    def ground_of(self, before: EnvironmentSettings, wanted: EnvironmentSettings) -> EnvironmentSettings:
        """Return the earlier settings, with the secrets and the schedules of both."""
        if not isinstance(before, CloudRunEnvironment) or not isinstance(wanted, CloudRunEnvironment):
            return wanted
        names = {*before.secret_names, *wanted.secret_names}
        schedules = before.schedules or wanted.schedules
        return before.model_copy(update={"secret_names": tuple(sorted(names)), "schedules": schedules})

    def ground_seconds(self) -> float:
        """Return how long a grant on a secret takes; nothing else takes longer."""
        return self._session.accounts.google.grant_seconds if self.config.env_secrets else 0

    def is_too_early(self, error: CurtainupError) -> bool:
        """Return whether what was just enabled, made or granted has no effect yet."""
        return refusals.is_too_early(error)

    def interrupting(self) -> list[str]:
        """Return the key that closes the service: its setting ends at once, and a grant begins later."""
        known = self.known(CloudRunEnvironment)
        closes = known is not None and not known.public_grant and bool(self.config.gcp_public_grant)
        return ["gcp_public_grant"] if closes else []

    def is_private(self) -> bool:
        """Return whether the public may not call it: nothing there has ever had traffic."""
        return self.environment.deployment.serving() is None

    @contextmanager
    def reachable(self, url: str) -> Iterator[str]:
        """Give a local URL that adds the deployer's identity while the public may not call the service."""
        if not self.is_private():
            yield url
            return
        audience = str(self.environment.outputs.get("url") or url)
        token = self._session.accounts.google.identity_token(audience)
        with door(url, {IDENTITY_HEADER: f"Bearer {token}"}) as local:
            yield local

    def wait_until_public(self, say: Callable[[str], None]) -> None:
        """Wait until Cloud Run lets callers without an identity in, which can take minutes after a grant.

        Raises:
            ReleaseUnhealthy: it does not in `opening.PATIENCE` seconds.
            Interrupted: the run was cancelled.

        """
        serving = self.environment.deployment.serving()
        path = serving.settings.health_path if serving else self.config.health_path
        opening.wait(str(self.environment.outputs["url"]), path, say, self._session.run.cancelled)

    def require_moved(self, traffic: Mapping[str, int]) -> None:
        """Check that Cloud Run tells the split that was asked for: its answers name no release.

        Raises:
            TrafficReturned: it tells another one.

        """
        environment = self.environment
        wanted = {one: share for one, share in traffic.items() if share}
        told = environment.outputs.get("traffic_statuses") or {}
        found = {one: share for one, share in told.items() if share}
        place = environment.outputs.get("console") or "the console"
        if found != wanted:
            raise TrafficReturned(
                f"Cloud Run splits traffic as {found}, not as {wanted}",
                where=f"Cloud Run service {environment.stack}",
                consequence="live is put back to what it was before",
                fix=f"see who else changes the service: {place}",
            )

    def run_task(self, release: Release, task: Task, on_line: Callable[[str], None]) -> Ran:
        """Run a task as an execution of the release's job."""
        from curtainup.targets.cloud_run import tasks as cloud_run

        job = str(self.environment.outputs["jobs"][release.id])
        waiting = cloud_run.Waiting(self._session.run.cancelled)
        return cloud_run.run(self._jobs(), job, task, waiting, on_line)

    def require_schedules(self) -> None:
        """Check that Cloud Scheduler is offered in the region, if Google says.

        Raises:
            RefusedError: it is not.

        """
        if self.config.schedule:
            preflight.require_scheduler(self._api(), self.settings())

    def schedule_runs(self, release: Release) -> list[ScheduleRun]:
        """Return the runs of the schedules, by the executions of their jobs.

        Raises:
            SetupError: Google does not tell.

        """
        from curtainup.targets.cloud_run import schedules

        caller = str(self.environment.outputs.get("scheduler") or "")
        made = [(self._job_of(one), one) for one in schedules_of(release.settings)]
        jobs = self._jobs()
        found = [run for job, one in made for run in schedules.runs(jobs, job, one, caller)]
        return in_order(found)

    def run_schedule(self, _release: Release, schedule: Schedule, asked: Asked) -> int:
        """Run a schedule now, as an execution of its job.

        Raises:
            RefusedError: it forbids an overlap, and another run is on its way or due.
            SetupError: Cloud Run does not run it.
            Interrupted: Ctrl-C; the run goes on.

        """
        from curtainup.targets.cloud_run import by_hand

        return by_hand.run(self._jobs(), self._job_of(schedule), schedule, asked)

    def _job_of(self, schedule: Schedule) -> str:
        jobs = self.environment.outputs.get("schedules") or {}
        if schedule.name not in jobs:
            raise SetupError(
                f"Cloud Run has no job for schedule {schedule.name}",
                where=f"Cloud Run service {self.environment.stack}",
                consequence="nobody does its work",
                fix="an update was cut off before it made the job: curtainup deploy",
            )
        return str(jobs[schedule.name])

    def no_command(self, release: Release, *, attach: bool) -> CurtainupError | None:
        """Return why a command cannot be run: nobody gets into an instance, and only tasks bring a job."""
        where = f"Cloud Run service {self.environment.stack}"
        if attach:
            return command.refused(
                "Cloud Run lets nobody into an instance that serves", where, "leave --attach out"
            )
        if release.id not in (self.environment.outputs.get("jobs") or {}):
            return command.refused(
                "this release has no job, in which a command could run",
                where,
                "give the environment a task (`tasks`) and deploy: its releases get a job then",
            )
        return None

    def execute(self, release: Release, asked: Asked) -> int:
        """Run a command as an execution of the release's job."""
        return command.as_task(asked, release, self.run_task)

    def explained(self, error: CurtainupError, _started: datetime) -> CurtainupError:
        """Return the error as what it is, by Google's own words."""
        return refusals.explained(error, f"Cloud Run service {self.environment.stack}")

    def reclaim(self, error: CurtainupError, started: datetime, say: Callable[[str], None]) -> bool:
        """Remove a service that the update made, if the answer got lost; it has never had a user.

        Where Google refuses to answer, it stays, and the error tells of it.
        """
        settings = self.environment.settings
        if not unseen.was_made(error.detail or error.what) or not isinstance(settings, CloudRunEnvironment):
            return False
        try:
            return unseen.reclaim(self._api(), settings, started, say, self._session.run.cancelled)
        except Refused:
            return False

    def lags(self, found: Environment, deployment: Deployment) -> bool:
        """Return whether Cloud Run tells another split than was made, or knows no URL of a release yet.

        Until it has reconciled a service, "trafficStatuses, and uri will have transient values" (the v2 API's
        message `Service`, at `reconciling`).
        """
        outputs = found.outputs
        if not deployment.releases:
            return False
        wanted = {one: share for one, share in deployment.traffic.items() if share}
        told = {one: share for one, share in (outputs.get("traffic_statuses") or {}).items() if share}
        urls = outputs.get("release_urls") or {}
        is_known = bool(outputs.get("url")) and all(one.id in urls for one in deployment.releases)
        return not is_known or (bool(wanted) and told != wanted)

    def costs(self) -> str | None:
        """Return what waits for requests; without a minimum only requests are billed."""
        settings = self.known(CloudRunEnvironment)
        if settings is None or not settings.min_instances:
            return None
        return f"{settings.min_instances} waiting instance{'s' * (settings.min_instances != 1)}"

    def _api(self) -> Api:
        google = self._session.accounts.google
        headers = {"Authorization": f"Bearer {google.access_token()}"}
        endpoints = Endpoints(run=google.run_api, scheduler=google.scheduler_api)
        return Api(headers, endpoints, self._session.run.cancelled.wait)

    def _jobs(self) -> Jobs:
        from curtainup.platforms.google.jobs import Jobs

        google = self._session.accounts.google
        endpoints = Endpoints(run=google.run_api, logging=google.logging_api, scheduler=google.scheduler_api)
        return Jobs(google.access_token, endpoints, self._session.run.cancelled.wait)

    def _require_same_place(self, current: CloudRunEnvironment, wanted: CloudRunEnvironment) -> None:
        for key, field in (("docker_repo", "project"), ("gcp_region", "region")):
            old, new = getattr(current, field), getattr(wanted, field)
            if old != new:
                raise displaced(self.name, f"in {field} {old}", new, key)
