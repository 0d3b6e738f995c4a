"""Moving an environment from one deployment to the next, and back."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from threading import Event

from curtainup import ejected, environments, health, release, settled
from curtainup.config import EnvironmentConfig
from curtainup.errors import CurtainupError
from curtainup.release import Deployment, Release
from curtainup.release_settings import AnySettings
from curtainup.session import Session
from curtainup.steps import Progress
from curtainup.targets import Target, target_of

LIVE = "live"


def pym_env(session: Session, name: str) -> str:
    """Return what the service finds in PYM_ENV: `dev` in the local container, else `NAME-ENVIRONMENT`."""
    return "dev" if name == "local" else f"{session.config.name}-{name}"


class Rollout:
    """One environment, as it is now and as it is to be."""

    def __init__(self, session: Session, name: str) -> None:
        self._session = session
        self.name = name
        self.config: EnvironmentConfig = session.config.for_environment(name)
        self.target: Target = target_of(session, name)
        self.environment = environments.of(session, name)
        self._there = {one.id for one in self.deployment.releases} | set(self.environment.places)
        self.is_touched = False

    @property
    def deployment(self) -> Deployment:
        """What Pulumi remembers that is there."""
        return self.environment.deployment

    @property
    def is_current(self) -> bool:
        """Whether it is as today's program renders it; a service may own the program, and change it."""
        return ejected.is_applied(self._session.workspace.edition, self.environment.outputs)

    @property
    def known_url(self) -> str | None:
        """Where users reach it, None while that is not known yet."""
        return self.target.url(self.environment)

    @property
    def url(self) -> str:
        """Where users reach it; on some targets that is known before the first update too."""
        return _known(self.known_url)

    def known_release_url(self, one: Release) -> str | None:
        """Where a release is reached alone, None while that is not known yet."""
        return self.target.release_url(self.environment, one)

    def release_url(self, one: Release) -> str:
        """Where a release is reached alone."""
        return _known(self.known_release_url(one))

    @contextmanager
    def reachable(self, url: str) -> Iterator[str]:
        """Give a URL by which anybody on this machine reaches one of the environment's URLs."""
        with self.target.reachable(self.environment, url) as reached:
            yield reached

    @property
    def is_private(self) -> bool:
        """Whether only those with an identity reach it, as it has never been proven."""
        return self.target.is_private(self.environment)

    @property
    def has_lost(self) -> bool:
        """Whether what runs a release was taken away by hand, so that the next update makes it anew."""
        return self.target.has_lost(self.environment)

    @property
    def lingering(self) -> float:
        """For how many seconds after a switch requests may still come to the old release."""
        return self.target.lingering(self.environment)

    @property
    def cancelled(self) -> Event:
        """Set when the run is to stop."""
        return self._session.cancelled

    @property
    def keep(self) -> int:
        """How many releases without traffic stay when a new one comes; only live needs any."""
        if self.name != LIVE:
            return 0
        return self.target.keep if self.config.keep is None else self.config.keep

    def runtime(self) -> AnySettings:
        """Return what a release runs with today."""
        found = self.target.runtime()
        env = {**found.env, "PYM_ENV": pym_env(self._session, self.name)}
        return found.model_copy(update={"env": env})

    def release_id(self, reference: str) -> str:
        """Return the id that an image has as a release here, with today's settings and secrets."""
        return self._identity(reference)[0]

    def answering(self, timeout: float) -> str | None:
        """Return the id of the release that answers where users reach the environment, None if none does.

        Where answers name no release it is taken for the one with most traffic.
        """
        url, serving = self.known_url, self.deployment.serving()
        if url is None or serving is None:
            return None
        path = serving.settings.health_path
        if self.target.names_releases:
            return health.live_release(url, path, timeout)
        return serving.id if health.answers(url, path) else None

    def needs_replacement(self) -> list[str]:
        """Return the keys whose new values would interrupt traffic."""
        settings = self.environment.settings
        return [] if settings is None else self.target.interrupting(settings)

    def has_other_settings(self) -> bool:
        """Return whether the environment itself is configured otherwise than it was deployed.

        Raises:
            CurtainupError: something that its settings name is not to be had.

        """
        settings = self.environment.settings
        return settings is not None and self.target.settings(settings, ()) != settings

    def require_ready(self) -> None:
        """Check, before anything is built, that the target can be reached; see `Target.require_ready`."""
        self.target.require_ready()

    def prepare(self, *, allow_replace: bool, taken: Collection[int] = ()) -> None:
        """Settle the environment's own settings: chosen once, then as remembered.

        Args:
            allow_replace: accept changes that interrupt traffic.
            taken: ports that are not to be chosen, though nothing listens on them yet.

        Raises:
            PortTaken: the configured port belongs to something else.
            RefusedError: a changed key would interrupt the traffic of an environment that serves, the plan
                does not hold it, or the environment is on another target.

        """
        settings, serves = self.environment.settings, self.deployment.serving() is not None
        if settings is not None:
            settled.require_same_target(self.name, settings.target, self.config.deploy_target)
            if serves and not allow_replace:
                settled.require_calm(self.name, self.needs_replacement())
        chosen = self.target.settings(settings, taken)
        self.environment = replace(self.environment, settings=chosen)
        if serves and chosen != settings:
            self._look_at(self.deployment, changed=True)

    def require_rendered(self) -> None:
        """Check, before anything is built, that a program which was changed can be run on what is there.

        Raises:
            EngineFailed: it fails, or would replace a release that carries live traffic.
            RefusedError: it would do what is dangerous, or what the plan does not hold.

        """
        if self.is_current or not self.environment.outputs:
            return
        found = environments.rendered(self._session.engine, self.environment)
        guard, here = self._session.guard, self.deployment
        if guard is not None and guard.wants(changed=True):
            guard.check(self.environment.stack, found.resources, here, here)

    def new_release(self, reference: str, version: str) -> Release:
        """Return the release that an image is here: the one that is there already, or a new one."""
        identity, attempt = self._identity(reference)
        known = self.deployment.find(identity)
        if known is not None:
            return known
        return Release(
            id=identity,
            version=version,
            image=reference,
            settings=self.runtime(),
            attempt=attempt,
            secrets_hmac=self._hmac(),
            address=self.target.address(self.environment, identity),
        )

    def seal(self, new: Release) -> None:
        """Have the ciphertext of a release's secrets at hand."""
        secrets = self._session.secrets_of(self.name)
        self.environment = environments.sealed_for(self._session.engine, self.environment, new, secrets)

    def hold(self, release_id: str) -> None:
        """Have the next update remember which candidate is held; empty is none."""
        self.environment = replace(self.environment, held=release_id)

    def apply(self, deployment: Deployment, progress: Progress | None = None) -> None:
        """Make a deployment real by one update.

        Raises:
            CurtainupError: the update failed.
            RefusedError: it would remove a release that has traffic, whatever Pulumi remembers, or do what
                the plan does not hold.

        """
        leaving = self._leaving(deployment)
        if self.target.bills_idle:
            self.environment = environments.retiring(self.environment, leaving)
        self._reach(deployment, progress.say if progress else None, guarded=True)

    def require_moved(self) -> None:
        """Check with what the target itself tells that traffic is split as it was to be.

        Raises:
            TrafficReturned: it is not.

        """
        self.target.require_moved(self.environment)

    def make_ready(self) -> None:
        """Import what an update needs; done beside something that has to be waited for anyhow."""
        self._session.engine.make_ready()

    def refresh(self) -> None:
        """Read again what Pulumi remembers, after an update that failed half-way."""
        sealed = self.environment.sealed
        found = environments.of(self._session, self.name)
        self.environment = replace(found, sealed={**sealed, **found.sealed})

    def wait_until_healthy(self, one: Release, progress: Progress) -> None:
        """Wait until a release answers on its own URL.

        One that was there before this run is started first when it does not answer.

        Raises:
            ReleaseUnhealthy: it exited, or did not answer in `start_timeout`.

        """
        path = one.settings.health_path
        with self.reachable(self.release_url(one)) as url:
            if one.id in self._there and not health.answers(url, path):
                self.target.revive(self.environment, one)
            seconds = health.wait_until_healthy(
                url,
                path,
                self.target.suspect(self.environment, one),
                timeout=self.config.start_timeout,
                cancelled=self._session.cancelled,
            )
        progress.note = f"{one.id} answered after {seconds:.1f} s"

    def put_back(self, before: Deployment, note: Callable[[str], None]) -> None:
        """Undo what a failed or interrupted step did: make the environment what it was before.

        Raises:
            CurtainupError: that failed too.

        """
        try:
            self.refresh()
        except CurtainupError as error:
            note(f"what {self.name} remembers could not be read again: {error.what}")
        if not self.target.reuses_ids:
            failed = [one.id for one in self.deployment.releases if before.find(one.id) is None]
            self.environment = environments.spending(self.environment, failed)
        self._reach(before)

    def _leaving(self, deployment: Deployment) -> list[Release]:
        return [one for one in self.deployment.releases if deployment.find(one.id) is None]

    def _reach(
        self, deployment: Deployment, told: Callable[[str], None] | None = None, *, guarded: bool = False
    ) -> None:
        """Make a deployment real by as many updates as it takes to let go of what is to leave."""
        leaving, here = self._leaving(deployment), self.environment
        everything = here.protected and not deployment.releases
        held = [one.id for one in leaving if everything or here.is_protected(one.id)]
        steps = release.retreat(self.deployment, deployment, held)
        if self._is_in_the_way(deployment, leaving):
            steps.insert(-1, Deployment())
        for step in steps:
            self._require_idle(step)
            if guarded:
                self._look_at(step)
            self._update(step, told)

    def _require_idle(self, deployment: Deployment) -> None:
        leaving = self._leaving(deployment)
        if leaving and deployment.serving() is not None:
            self.target.require_idle(self.environment, leaving)

    def _look_at(self, deployment: Deployment, *, changed: bool = False) -> None:
        """Have an update previewed for the session's guard, where that wants to see it."""
        guard, environment = self._session.guard, self.environment
        if guard is None or not guard.wants(changed=changed):
            return
        refresh = self.target.has_lost(environment)
        found = environments.preview(self._session.engine, environment, deployment, refresh=refresh)
        guard.check(environment.stack, found.resources, self.deployment, deployment)

    def _update(self, deployment: Deployment, told: Callable[[str], None] | None) -> None:
        environment, started, self.is_touched = self.environment, datetime.now(UTC), True
        refresh = self.target.has_lost(environment)
        watching = self.target.watching(environment, told) if told else nullcontext()
        try:
            with watching:
                self.environment = environments.apply(
                    self._session.engine, environment, deployment, told, refresh=refresh
                )
        except CurtainupError as error:
            raise self.target.explained(environment, error, started) from error

    def _is_in_the_way(self, deployment: Deployment, leaving: Sequence[Release]) -> bool:
        """Return whether another first release can only come when those that are to go are gone."""
        all_go = bool(leaving) and len(leaving) == len(self.deployment.releases)
        return self.target.anchored and all_go and bool(deployment.releases)

    def _identity(self, reference: str) -> tuple[str, int]:
        """Return the id of an image here, and how often it failed under an earlier one."""
        runtime, digest, attempt = self.runtime(), self._hmac(), 0
        while (identity := release.release_id(reference, runtime, digest, attempt)) in self.environment.spent:
            attempt += 1
        return identity, attempt

    def _hmac(self) -> str:
        values = self._session.secrets_of(self.name)
        if not values:
            return ""
        plain = {name: secret.reveal() for name, secret in values.items()}
        return release.secrets_hmac(plain, self._session.hmac_key)


def _known(url: str | None) -> str:
    if url is None:
        raise RuntimeError("its URL is not known before the first update")
    return url
