"""The driver's half of an environment on Elastic Beanstalk."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from curtainup.errors import CurtainupError, RefusedError, ReleaseUnhealthy
from curtainup.model.release import Release
from curtainup.model.targets.beanstalk import BeanstalkEnvironment, BeanstalkSettings, Network
from curtainup.platforms import amazon
from curtainup.setup import cloud_provider
from curtainup.targets import command
from curtainup.targets.beanstalk import (
    READY_SECONDS,
    live_name,
    preflight,
    progress,
    quotas,
    refusals,
    unseen,
)
from curtainup.targets.beanstalk.machines import Machines, client
from curtainup.targets.capabilities import (
    Asks,
    Audits,
    Bills,
    Inspects,
    Lingers,
    MovesLate,
    NeedsAccount,
    NeedsGround,
)
from curtainup.targets.runs import Executes, RunsTasks
from curtainup.targets.target import Target, displaced
from curtainup.targets.updates import Explains, Reclaims, Watches

if TYPE_CHECKING:
    from curtainup.config.tasks import Task
    from curtainup.model.contract import EnvironmentSettings
    from curtainup.targets.command import Asked
    from curtainup.targets.task_result import Ran

NAME_TTL = 60.0
"""Seconds that resolvers keep an environment's name: the TTL of elasticbeanstalk.com's records."""
EVENTS = 8
UNHEALTHY = re.compile(
    r"(creating|waiting for) Elastic Beanstalk Environment "
    r".*(complete, but with errors|timeout while waiting)",
    re.DOTALL,
)


class BeanstalkTarget(
    Target,
    NeedsAccount,
    Asks,
    NeedsGround,
    Inspects,
    Lingers,
    MovesLate,
    Audits,
    RunsTasks,
    Executes,
    Watches,
    Explains,
    Reclaims,
    Bills,
):
    """A Beanstalk environment per release; the live name moves between them."""

    def require_ready(self) -> None:
        """Check that there are credentials, the engine's plugin, and a name for a new environment.

        A rehearsal has its own of all.

        Raises:
            ConfigError: no region or no such profile.
            SetupError: credentials or plugin are missing.
            RefusedError: the name belongs to another account.

        """
        region = amazon.region_of(self.config.aws_region, self.config.aws_user)
        with amazon.said_clearly("sts"):
            amazon.client("sts", region, self.config.aws_user).get_caller_identity()
        if self._session.accounts.rehearsal is None:
            cloud_provider.require("aws")
        if self.known(BeanstalkEnvironment) is None:
            client = amazon.client("elasticbeanstalk", region, self.config.aws_user)
            live_name.require(client, self._session.service.names.environment(self.name))

    def complaint(self) -> CurtainupError | None:
        """Return that there is no room, or what Beanstalk has against the options of what is there."""
        settings, serving = self.settings(), next(iter(self._names.values()), None)
        full = quotas.complaint(client(settings), f"Elastic Beanstalk, {settings.region}")
        if full is not None or serving is None:
            return full
        return preflight.complaint(client(settings), settings, self.runtime(), serving)

    def runtime(self) -> BeanstalkSettings:
        """Return what a release runs with today."""
        config = self.config
        return BeanstalkSettings(
            container_port=config.container_port,
            health_path=config.health_path,
            env=dict(config.env),
            instance_type=config.aws_instance_type,
            keypair=config.aws_keypair,
            request_timeout=config.request_timeout,
            metadata_hops=config.aws_metadata_hops,
            network=self._network(),
        )

    def settings(self) -> BeanstalkEnvironment:
        """Return the environment's settings.

        Raises:
            ConfigError: no region is known.
            RefusedError: the region is another than that where the environment serves.

        """
        config, service = self.config, self._session.service.config
        region = amazon.region_of(config.aws_region, config.aws_user)
        current, known = self.environment.settings, self.known(BeanstalkEnvironment)
        if known is not None and known.region != region:
            raise displaced(self.name, f"in region {known.region}", region, "aws_region")
        return BeanstalkEnvironment(
            service=service.name,
            name=self.name,
            generation=current.generation if current else 0,
            region=region,
            profile=config.aws_user,
            cname_prefix=known.cname_prefix if known else self._session.service.names.environment(self.name),
            live_host=service.live_host if self.name == "live" else None,
            cert_arn=config.aws_cert_arn,
            zone_id=config.aws_zone_id,
            hosts_min=config.aws_hosts_min,
            hosts_max=config.aws_hosts_max,
            ready_timeout=config.ready_timeout or READY_SECONDS,
            tasks=bool(config.tasks),
        )

    def lacks_ground(self) -> bool:
        """Return whether the application, the bucket and the roles are missing."""
        return not self.environment.outputs

    def ground_of(self, before: EnvironmentSettings, wanted: EnvironmentSettings) -> EnvironmentSettings:
        """Return the earlier settings: the ground depends on none."""
        del wanted
        return before

    def ground_seconds(self) -> float:
        """Return 0: the image takes longer to build than IAM takes to know an instance profile."""
        return 0

    def is_too_early(self, error: CurtainupError) -> bool:
        """Return whether Beanstalk does not see the machines' role yet."""
        return refusals.is_too_early(error)

    def suspect(self, release: Release) -> Machines:
        """Return the release's machines."""
        return Machines(self._settings, self._names.get(release.id, release.id))

    def lingering(self) -> float:
        """Return how long resolvers keep a name; a bare address is asked of none."""
        host = urlsplit(str(self.environment.outputs.get("url") or "")).hostname or ""
        try:
            ipaddress.ip_address(host)
        except ValueError:
            return NAME_TTL
        return 0

    def require_idle(self, leaving: Sequence[Release]) -> None:
        """Check with Beanstalk that no release which is to go holds the live name.

        Raises:
            RefusedError: one does.

        """
        from curtainup.engine.provider import cname_swap

        settings, names = self._settings, self._names
        going = {names[one.id]: one for one in leaving if one.id in names}
        if not going:
            return
        holder = cname_swap.holder(
            list(names.values()),
            settings.cname_prefix,
            settings.region,
            settings.profile,
            set(names.values()) - set(going),
            self._session.run.cancelled.wait,
        )
        if holder in going:
            raise RefusedError(
                f"environment {holder} holds the live name, whatever Pulumi remembers",
                where=f"Elastic Beanstalk, {settings.region}",
                consequence="removing it would take live away, so nothing was done",
                fix=f"curtainup pulumi refresh --stack {self.environment.stack}, then curtainup status",
            )

    def has_lost(self) -> bool:
        """Return whether an environment was terminated by hand: no update would get past the swap then."""
        from curtainup.engine.provider import cname_swap

        names, settings = self._names, self._settings
        kept = [names[one.id] for one in self.environment.deployment.releases if one.id in names]
        return bool(kept) and bool(cname_swap.gone(kept, settings.region, settings.profile))

    def is_moving(self) -> bool:
        """Return whether a swap of names may be under way, as after a run that was killed."""
        from curtainup.engine.provider import cname_swap

        names, settings = list(self._names.values()), self._settings
        return bool(names) and cname_swap.is_moving(
            names, settings.cname_prefix, settings.region, settings.profile
        )

    def run_task(self, release: Release, task: Task, on_line: Callable[[str], None]) -> Ran:
        """Run a task in the release's container, on one of its machines."""
        from curtainup.targets.beanstalk import tasks as beanstalk

        settings = self._settings
        machine = beanstalk.machine(settings.region, settings.profile, self._names[release.id])
        return beanstalk.run(machine, task, self._session.run.cancelled, on_line)

    def no_command(self, release: Release, *, attach: bool) -> CurtainupError | None:
        """Return why a command cannot be run: a machine has one container, and tasks bring the rights."""
        where = f"environment {self._names.get(release.id, release.id)}"
        if not attach:
            return command.refused(
                "a machine of Elastic Beanstalk runs one container, the release's",
                where,
                "add --attach: the command then runs in that container",
            )
        if not self._settings.tasks:
            return command.refused(
                "Systems Manager may not run commands on the machines of this environment",
                where,
                "give the environment a task (`tasks`) and deploy: its machines get the right then",
            )
        return None

    def execute(self, release: Release, asked: Asked) -> int:
        """Run a command in the release's container, on one of its machines."""
        return command.as_task(asked, release, self.run_task)

    def watching(self, on_progress: Callable[[str], None]) -> AbstractContextManager[None]:
        """Tell in which state each environment is, since when, and its latest event."""
        settings = self._settings
        return progress.watched(lambda: client(settings), self.environment.stack, on_progress)

    def explained(self, error: CurtainupError, started: datetime) -> CurtainupError:
        """Return the error with Beanstalk's own events, and as an unhealthy release if it is one."""
        try:
            events = self._events(started)
        except CurtainupError as also:
            events = [f"Beanstalk's events could not be read: {also.what}"]
        if events:
            error.detail = "\n".join([error.detail or error.what, "Beanstalk's own events:", *events])
        told = f"{error.what}\n{error.detail or ''}"
        if UNHEALTHY.search(told):
            return self._unhealthy(error)
        return refusals.explained(error, f"Elastic Beanstalk application {self.environment.stack}")

    def reclaim(self, error: CurtainupError, started: datetime, say: Callable[[str], None]) -> bool:
        """Terminate an environment that the update made, if the answer got lost; it has never had a user."""
        settings, names = self._settings, unseen.made(error.detail or error.what)
        stop = unseen.within(settings.ready_timeout, self._session.run.cancelled)
        called = client(settings) if names else None
        found = [unseen.reclaim(called, name, self.environment.stack, started, say, stop) for name in names]
        return bool(found) and all(found)

    def costs(self) -> str | None:
        """Return what runs, whether it has traffic or not."""
        deployment = self.environment.deployment
        releases = deployment.releases
        if not releases:
            return None
        settings = self._settings
        idle = sum(1 for one in releases if not deployment.traffic.get(one.id))
        hosts = f"{settings.hosts_min} to {settings.hosts_max} machines each"
        count = f"{len(releases)} environment{'s' * (len(releases) != 1)}, {idle} of them idle"
        return f"{count}: a load balancer and {hosts}"

    def _network(self) -> Network | None:
        config = self.config
        if config.aws_vpc is None:
            return None
        return Network(
            vpc=config.aws_vpc,
            machines=config.aws_subnets,
            balancer=config.aws_elb_subnets or config.aws_subnets,
        )

    @property
    def _settings(self) -> BeanstalkEnvironment:
        return self.own(BeanstalkEnvironment)

    @property
    def _names(self) -> dict[str, str]:
        """By release id, the name of its Beanstalk environment."""
        return self.environment.outputs.get("environments") or {}

    def _unhealthy(self, error: CurtainupError) -> ReleaseUnhealthy:
        return ReleaseUnhealthy(
            "the environment did not become healthy",
            where=f"Elastic Beanstalk application {self.environment.stack}",
            consequence="it gets no traffic",
            fix="mend what its events say; `eb logs` shows more. ready_timeout gives it more time",
            detail=error.detail or error.what,
        )

    def _events(self, started: datetime) -> list[str]:
        settings = self._settings
        with amazon.said_clearly("elasticbeanstalk"):
            found = client(settings).describe_events(
                ApplicationName=self.environment.stack, Severity="WARN", StartTime=started, MaxRecords=EVENTS
            )["Events"]
        return [
            f"{one['EventDate']:%H:%M:%S} {one['Severity']}: {one['Message']} ({one.get('EnvironmentName')})"
            for one in reversed(found)
        ]
