"""An environment as it is now: where it is reached, what serves, and what an image would be there."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

from curtainup.config import EnvironmentConfig
from curtainup.engine import ejected
from curtainup.environments import own_settings, processes, stack
from curtainup.environments.places import Places
from curtainup.errors import HostUnreachable, SetupError
from curtainup.gates import asking, health
from curtainup.gates.asking import Asking
from curtainup.gates.health import Look
from curtainup.model import release
from curtainup.model.maintenance import Maintenance
from curtainup.model.names import LIVE
from curtainup.model.process import copies
from curtainup.model.process_state import UNKNOWN, ProcessState
from curtainup.model.release import Deployment, Release
from curtainup.model.release_settings import Settings
from curtainup.session import Session
from curtainup.setup import extras
from curtainup.targets import capabilities, configured, runs
from curtainup.targets.maintaining import Maintains
from curtainup.targets.shared import Shared

if TYPE_CHECKING:
    from curtainup.platforms.prometheus import Server

ANSWER_SECONDS = 3.0
"""How long an answer of what serves is waited for."""
AT_ONCE = 16
"""How many releases are asked at the same time."""


def pym_env(session: Session, name: str) -> str:
    """Return what the service finds in PYM_ENV: `dev` in the local container, else `NAME-ENVIRONMENT`."""
    return "dev" if name == "local" else f"{session.service.config.name}-{name}"


class EnvironmentView(Places):
    """One environment, which is only looked at."""

    def __init__(self, session: Session, name: str) -> None:
        session = session.at(name)
        self._session = session
        self.name = name
        self.config: EnvironmentConfig = session.service.config.for_environment(name)
        self.spec = configured(self.config)
        extras.require(self.spec.extra)
        self.target = self.spec.bind(session, name, lambda: self.environment)
        self.environment = stack.of(session, name)
        self._has_lost: bool | None = None

    @property
    def deployment(self) -> Deployment:
        """What Pulumi remembers that is there."""
        return self.environment.deployment

    @property
    def paused(self) -> str:
        """The id of the release whose canary is paused; empty if none is."""
        return self.environment.paused

    @property
    def is_current(self) -> bool:
        """Whether it is as today's program renders it; a service may own the program, and change it."""
        return ejected.is_applied(self._session.state.workspace.edition, self.environment.outputs)

    @property
    def was_cut_off(self) -> bool:
        """Whether an update was cut off, and no other has put right what it left."""
        stack = self.environment.stack
        return bool(self.environment.pending or self._session.state.memory.locks(stack))

    @property
    def maintenance(self) -> Maintenance | None:
        """The page that users get instead of an answer; None if they reach the releases."""
        return self.target.maintenance() if isinstance(self.target, Maintains) else None

    def tell_of_maintenance(self) -> None:
        """Warn whoever moves releases that users do not see them."""
        if (found := self.maintenance) is not None:
            self._session.run.report.warn(
                f"{self.name} is in maintenance {found.told}: users get 503, gates go past it; "
                f"`curtainup maintenance off --env {self.name}` ends it"
            )

    @property
    def splits(self) -> bool:
        """Whether a release can have a part of the traffic."""
        target = self.target
        may = not isinstance(target, capabilities.MayMoveAtOnce) or target.splits()
        return self.spec.splits and may

    @property
    def is_private(self) -> bool:
        """Whether only callers with an identity reach it, because nothing there was ever proven."""
        return isinstance(self.target, capabilities.StartsPrivate) and self.target.is_private()

    @property
    def has_lost(self) -> bool:
        """Whether what runs a release or a process was taken away by hand: the next update makes it anew.

        The target is asked once in a run, and again after an update that has failed.
        """
        target = self.target
        if self._has_lost is None:
            audited = isinstance(target, capabilities.Audits) and target.has_lost()
            self._has_lost = audited or processes.has_lost(target, self.deployment)
        return self._has_lost or (isinstance(target, capabilities.Shares) and target.is_cut_off())

    @property
    def is_moving(self) -> bool:
        """Whether its traffic may still be moving, by what a run has left under way."""
        known = self.environment.settings is not None
        return known and isinstance(self.target, capabilities.MovesLate) and self.target.is_moving()

    def require_moved(self, wanted: Deployment) -> None:
        """Check with what the target itself tells that traffic is split as it was to be.

        Raises:
            TrafficReturned: it is not.

        """
        if isinstance(self.target, capabilities.Confirms):
            self.target.require_moved(wanted.traffic)

    def require_there(self, release: Release) -> None:
        """Check that what runs a kept release was not taken away by hand.

        Raises:
            UnknownRelease: it was; the fix says whether the release can be made again.

        """
        if isinstance(self.target, capabilities.ChecksPresence):
            self.target.require_there(release)

    def drained(self, releases: Sequence[str]) -> bool:
        """Return whether none of the releases has a request under way, as far as the target tells."""
        return not isinstance(self.target, capabilities.Drains) or self.target.drained(releases)

    @property
    def metrics_server(self) -> Server:
        """The server that has the metrics of a canary here."""
        from curtainup.environments import metrics_server

        session = self._session
        secrets = session.service.secrets
        folder = session.state.workspace.service_dir
        return metrics_server.of(
            self.config,
            folder,
            lambda name: secrets[name].reveal(),
            lambda: session.accounts.google.access_token(),  # noqa: PLW0108 - imports Google's library
        )

    @property
    def lingering(self) -> float:
        """For how many seconds after a switch requests may still come to the old release."""
        return self.target.lingering() if isinstance(self.target, capabilities.Lingers) else 0

    @property
    def keep(self) -> int:
        """How many releases without traffic stay when a new one comes; only live needs any."""
        if self.name != LIVE:
            return 0
        return self.spec.keep if self.config.keep is None else self.config.keep

    @property
    def shared(self) -> Shared | None:
        """What it shares with other services and is to be made first; None if nothing is missing."""
        return self.target.shared() if isinstance(self.target, capabilities.Shares) else None

    def costs(self) -> str | None:
        """Return what it costs while nobody uses it, in words; None when nothing."""
        return self.target.costs() if isinstance(self.target, capabilities.Bills) else None

    def runtime(self) -> Settings:
        """Return what a release runs with today."""
        found = self.target.runtime()
        env = {**found.env, "PYM_ENV": pym_env(self._session, self.name)}
        return found.model_copy(update={"env": env})

    def release_id(self, reference: str) -> str:
        """Return the id that an image has as a release here, with today's settings and secrets."""
        return self._identity(reference)[0]

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
            address=self.target.address(identity)
            if isinstance(self.target, capabilities.KnowsPlaces)
            else None,
        )

    def answering(self, timeout: float = ANSWER_SECONDS) -> str | None:
        """Return the id of the release that answers users with success; None if none does."""
        found = self.look(timeout)
        return None if found.trouble else found.release

    def look(self, timeout: float = ANSWER_SECONDS) -> Look:
        """Send one request to where users reach the environment, and return what came of it.

        In maintenance it goes past their page.

        Where answers name no release, the one with most traffic is taken to have answered.
        """
        url, serving = self.judged_url, self.deployment.serving()
        if url is None or serving is None:
            return Look(None, "no release has traffic")
        found = self._asked(url, self._patiently(serving, timeout))
        return found if self.spec.names_releases or found.trouble else Look(serving.id, None)

    def down(self, timeout: float = ANSWER_SECONDS) -> dict[str, str]:
        """Return by release how its own URL fails, for those that do not answer there.

        Only on a target where asking costs nothing: a release without traffic may be billed for its answer.
        """
        if self.spec.bills_idle or not isinstance(self.target, capabilities.KnowsPlaces):
            return {}
        found = [(one, url) for one in self.deployment.releases if (url := self.known_release_url(one))]
        with ThreadPoolExecutor(AT_ONCE) as pool:  # releases that hang would add up
            looks = pool.map(lambda pair: self._asked(pair[1], self._patiently(pair[0], timeout)), found)
            return {one.id: look.trouble for (one, _), look in zip(found, looks, strict=True) if look.trouble}

    def process_states(self) -> list[ProcessState]:
        """Return what the processes of the release that works do now; empty where there are none."""
        works = processes.at_work(self.deployment)
        if works is None or not isinstance(self.target, runs.RunsProcesses):
            return []
        try:
            return self.target.process_states(works)
        except (HostUnreachable, SetupError) as error:
            return [
                ProcessState(one.name, number, works.id, UNKNOWN, why=error.what)
                for one, number in copies(works.settings)
            ]

    def asking(self, release: Release | None = None) -> Asking:
        """Return how a release is asked whether it is well; None asks as is configured now."""
        path = release.settings.health_path if release else None
        return asking.of_environment(
            self._session.service.config, self.config, path=path, routed=self.spec.routes_by_host
        )

    def _asked(self, url: str, how: Asking) -> Look:
        """Send one request to a URL of the environment; what is not reached answers nothing."""
        try:
            return health.look(self.from_here(url), how)
        except (HostUnreachable, SetupError) as error:
            return Look(None, error.what)

    def _patiently(self, release: Release, timeout: float) -> Asking:
        """Return how a release is asked that gets `timeout` seconds, or longer if its health check does."""
        found = self.asking(release)
        return replace(found, timeout=max(timeout, found.timeout))

    def needs_replacement(self) -> list[str]:
        """Return the keys whose new values would interrupt traffic."""
        return self.target.interrupting() if isinstance(self.target, capabilities.Interrupts) else []

    def has_other_settings(self) -> bool:
        """Return whether the environment itself is configured otherwise than it was deployed.

        It is too if something that it shares with other services is gone.

        Raises:
            CurtainupError: something that its settings name is not to be had.

        """
        settings = self.environment.settings
        if settings is None:
            return False
        if (
            settings.target != self.spec.name
            or own_settings.configured(self.target, self.environment) != settings
        ):
            return True
        if not isinstance(self.target, capabilities.Shares):
            return False
        return self.target.is_cut_off() or self.target.shared() is not None

    def _identity(self, reference: str) -> tuple[str, int]:
        """Return the id of an image here, and how often it failed under an earlier one."""
        runtime, digest, attempt = self.runtime(), self._hmac(), 0
        while (identity := release.release_id(reference, runtime, digest, attempt)) in self.environment.spent:
            attempt += 1
        return identity, attempt

    def _hmac(self) -> str:
        values = self._session.service.secrets_of(self.name)
        if not values:
            return ""
        plain = {name: secret.reveal() for name, secret in values.items()}
        return release.secrets_hmac(plain, self._session.hmac_key)
