"""Moving an environment from one deployment to the next, and back."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from curtainup.engine.changes import UpdateGuard
from curtainup.environments import earlier, own_settings, refusals, sharing, updating
from curtainup.environments import stack as environments
from curtainup.environments.readiness import Readiness
from curtainup.errors import CurtainupError, Interrupted
from curtainup.model import release
from curtainup.model.contract import EnvironmentSettings
from curtainup.model.environment import Environment
from curtainup.model.release import Deployment, Release
from curtainup.session import Session
from curtainup.targets import capabilities, runs
from curtainup.util.beside import GoOn, beside

GROUND_PATIENCE, GROUND_PAUSE = 600.0, 10.0
"""For how many seconds, and how often, curtainup tries again to lay the ground if that is too early."""


class Rollout(Readiness):
    """One environment, as it is now and as it is to be."""

    def __init__(self, session: Session, name: str, guard: UpdateGuard | None = None) -> None:
        """Take an environment as it is.

        Args:
            session: the command's.
            name: of the environment.
            guard: looks at each update before it is made; None lets all be made.

        """
        super().__init__(session, name)
        self.guard = guard
        self.is_touched = False
        self._settings_before = self.environment.settings
        self._neighbours: own_settings.Neighbours = ()
        self._settled_at = 0.0
        self._closes = False

    def require_ready(self) -> None:
        """Check, before anything is built, that the target can be reached, and can do what it is to do."""
        if isinstance(self.target, capabilities.NeedsAccount):
            self.target.require_ready()
        if isinstance(self.target, capabilities.Shares):
            self.target.require_room()
        if isinstance(self.target, capabilities.NeedsBeside):
            self.target.require_beside()
        if self.config.tasks and not isinstance(self.target, runs.RunsTasks):
            raise refusals.no_tasks(self.name, self.spec.name)
        if isinstance(self.target, runs.RunsProcesses):
            self.target.require_process_names()
        elif self.config.processes:
            raise refusals.no_processes(self.name, self.spec.name)
        if isinstance(self.target, runs.RunsSchedules):
            self.target.require_schedules()
        elif self.config.schedule:
            raise refusals.no_schedules(self.name, self.spec.name)

    def require_same_place(self) -> None:
        """Check that an update would reach the place where the environment is, and no other of its name.

        Raises:
            CurtainupError: it would not.

        """
        if isinstance(self.target, capabilities.MayLeadElsewhere):
            self.target.require_same_place()

    def prepare(self, *, allow_replace: bool, neighbours: Sequence[EnvironmentSettings] = ()) -> None:
        """Settle the environment's own settings: chosen once, then as remembered.

        Args:
            allow_replace: accept changes that interrupt traffic.
            neighbours: settings of the service's other environments.

        Raises:
            PortTaken: the configured port belongs to something else.
            RefusedError: a changed key would interrupt the traffic of an environment that serves, the plan
                does not hold it, or the environment is on another target.

        """
        self._neighbours = neighbours
        self._begin_anew()
        settings, serves = self.environment.settings, self.deployment.serving() is not None
        if settings is not None:
            refusals.require_same_target(self.name, settings.target, self.config.deploy_target)
            if serves and not allow_replace:
                refusals.require_calm(self.name, self.needs_replacement())
        self._closes = serves and bool(self.needs_replacement())
        chosen = own_settings.configured(self.target, self.environment, neighbours)
        self.environment = replace(self.environment, settings=chosen)
        if serves and chosen != settings:
            self._look_at(self.deployment, changed=True)

    def _begin_anew(self) -> None:
        """Remove what a first update had made when it was cut off: its ports and addresses are not known."""
        if self.environment.is_remainder:
            self._session.run.report.warn(
                f"removing what a run that was cut off had begun to make of {self.name}"
            )
            self._session.state.engine.destroy(self.environment.stack)
            self.environment = environments.of(self._session, self.name)
            self._settings_before = self.environment.settings

    def require_rendered(self) -> None:
        """Check, before anything is built, that a program which was changed can be run on what is there.

        Raises:
            EngineFailed: it fails, or would replace a release that carries live traffic.
            RefusedError: it would do what is dangerous, or what the plan does not hold.

        """
        if self.is_current or not self.environment.outputs:
            return
        found = environments.rendered(self._session.state.engine, self.environment)
        guard, here = self.guard, self.deployment
        if guard is not None and guard.wants(changed=True):
            guard.check(self.environment.stack, found.resources, here, here)

    @property
    def lacks_ground(self) -> bool:
        """Whether something that releases stand on is missing which takes minutes to take effect."""
        return isinstance(self.target, capabilities.NeedsGround) and self.target.lacks_ground()

    def lay_ground(self, say: Callable[[str], None], patience: float = GROUND_PATIENCE) -> None:
        """Make what releases stand on and what takes minutes to take effect, and nothing else.

        The other settings stay as they were, until a release that is proven comes with the new ones.

        Args:
            say: told what is under way, and what is waited for.
            patience: for how many seconds to try again what is only refused because it is too early.

        Raises:
            CurtainupError: the update failed.
            Interrupted: the run was cancelled.

        """
        if not isinstance(self.target, capabilities.NeedsGround):
            return
        deadline, wanted = time.monotonic() + patience, self.environment.settings
        self.environment = earlier.with_ground_only(self.target, self.environment, self._settings_before)
        while True:
            try:
                self.apply(self.deployment, say)
                break
            except CurtainupError as error:
                if not self.is_too_early(error) or time.monotonic() > deadline:
                    raise
                self._pause(GROUND_PAUSE, f"waiting, as it is too early: {error.what}; {error.fix}", say)
        if wanted is not None:
            self.environment = earlier.with_settings(self.environment, wanted)
        self._settled_at = time.monotonic() + self.target.ground_seconds()

    def is_too_early(self, error: CurtainupError) -> bool:
        """Return whether an update failed only because what was just made or granted has no effect yet."""
        return isinstance(self.target, capabilities.NeedsGround) and self.target.is_too_early(error)

    def _pause(self, seconds: float, why: str, say: Callable[[str], None]) -> None:
        say(why)
        if self.cancelled.wait(seconds):
            raise Interrupted(f"interrupted while {why}", where=f"stack {self.environment.stack}")

    def seal(self, new: Release) -> None:
        """Have the ciphertext of a release's secrets at hand."""
        secrets = self._session.service.secrets_of(self.name)
        self.environment = environments.sealed_for(self._session.state.engine, self.environment, new, secrets)

    def hold(self, release_id: str) -> None:
        """Have the next update remember which candidate is held; empty is none."""
        self.environment = replace(self.environment, held=release_id)

    def excuse(self, reason: str) -> None:
        """Have all updates of this run remember why they come although live is frozen."""
        self.environment = replace(self.environment, during_freeze=reason)

    def apply(self, deployment: Deployment, on_progress: Callable[[str], None] | None = None) -> None:
        """Make a deployment real by one update.

        Args:
            deployment: as it is to be.
            on_progress: told what is under way, while that takes long.

        Raises:
            CurtainupError: the update failed.
            RefusedError: it would remove a release that has traffic, whatever Pulumi remembers, or do what
                the plan does not hold.

        """
        with self.reached(deployment, on_progress):
            pass

    @contextmanager
    def reached(
        self, deployment: Deployment, on_progress: Callable[[str], None] | None = None
    ) -> Iterator[None]:
        """Make a deployment real as `apply` does, and enter the block once its releases have their traffic.

        An environment that becomes public by it, or whose way for the public changes, can be called by the
        public then.

        The update goes on beside the block: it removes what served before. It is over when the block is
        left. Until then `environment` is as it was before. Errors are those of `apply`, and come before
        those of the block.
        """
        say, left = on_progress or updating.say_nothing, self._settled_at - time.monotonic()
        if left > 0:
            self._pause(left, f"waiting {left:.0f} s, until grants are enforced", say)
        leaving, was_private = self._leaving(deployment), self.is_private
        if self.spec.bills_idle:
            self.environment = environments.retiring(self.environment, leaving)
        with beside(lambda go_on: self._reach(deployment, on_progress, guarded=True, go_on=go_on)):
            if (was_private or self._closes) and not self.is_private:
                self._wait_until_public(say)
                self._closes = False
            yield

    def make_ready(self) -> None:
        """Import what an update needs; done beside something that has to be waited for anyhow."""
        self._session.state.engine.make_ready()

    def refresh(self) -> None:
        """Read again what Pulumi remembers, after an update that failed half-way."""
        self._has_lost = None
        self._see(environments.of(self._session, self.name))

    def put_back(self, before: Deployment, note: Callable[[str], None], held: str = "") -> None:
        """Undo what a failed or interrupted step did: make the environment what it was before.

        It tells `note` what could not be read, and remembers that the release `held`, if any, waits again.

        Raises:
            CurtainupError: that failed too.

        """
        try:
            self.refresh()
        except CurtainupError as error:
            note(f"what {self.name} remembers could not be read again: {error.what}")
        if not self.spec.reuses_ids:
            failed = [one.id for one in self.deployment.releases if before.find(one.id) is None]
            self.environment = environments.spending(self.environment, failed)
        self.environment = earlier.put_back(self.target, self.environment, self._settings_before)
        if before.serving() is None:
            self.environment = own_settings.chosen_anew(self.target, self.environment, self._neighbours)
        self.hold(held or self.environment.held)
        self._reach(before)

    def _wait_until_public(self, say: Callable[[str], None]) -> None:
        if isinstance(self.target, capabilities.StartsPrivate):
            self.target.wait_until_public(say)

    def _leaving(self, deployment: Deployment) -> list[Release]:
        return [one for one in self.deployment.releases if deployment.find(one.id) is None]

    def _reach(
        self,
        deployment: Deployment,
        on_progress: Callable[[str], None] | None = None,
        *,
        guarded: bool = False,
        go_on: GoOn | None = None,
    ) -> None:
        """Make a deployment real by as many updates as it takes to let go of what is to leave."""
        self.require_same_place()
        leaving, here = self._leaving(deployment), self.environment
        everything = here.protected and not deployment.releases
        held = [one.id for one in leaving if everything or here.is_protected(one.id)]
        steps = release.retreat(self.deployment, deployment, held)
        if not guarded and not here.protected and not deployment.releases:
            steps = [deployment]  # what a cloud refused to make would be asked for once more
        if self._is_in_the_way(deployment, leaving):
            steps.insert(-1, Deployment())
        for step in steps:
            self._require_idle(step)
            if guarded:
                self._look_at(step)
            self._update(step, on_progress, go_on if step is steps[-1] else None)

    def _require_idle(self, deployment: Deployment) -> None:
        leaving = self._leaving(deployment)
        if leaving and deployment.serving() is not None and isinstance(self.target, capabilities.Audits):
            self.target.require_idle(leaving)

    def _look_at(self, deployment: Deployment, *, changed: bool = False) -> None:
        """Have an update previewed for the guard, where that wants to see it."""
        guard, environment = self.guard, self.environment
        if guard is None or not guard.wants(changed=changed):
            return
        found = environments.preview(
            self._session.state.engine, environment, deployment, refresh=self.has_lost
        )
        guard.check(environment.stack, found.resources, self.deployment, deployment)

    def _update(
        self, deployment: Deployment, on_progress: Callable[[str], None] | None, go_on: GoOn | None
    ) -> None:
        self.environment = sharing.make(
            self._session, self.target, self.environment, self._settings_before, self.guard, on_progress
        )
        before = None if self.is_touched else self._settings_before
        goes_on = self.spec.switch.is_last and self.keeps_urls(before)
        refresh = self.has_lost or (not self.is_touched and self.is_moving)
        self.is_touched = True

        def made(kind: str) -> None:
            if go_on is not None and goes_on and kind == self.spec.switch.type:
                go_on()

        found = updating.update(
            self._session.state.engine,
            self.target,
            self.environment,
            deployment,
            on_progress,
            refresh=refresh,
            on_made=made,
            cancelled=self.cancelled,
        )
        if refresh:
            self._has_lost = False
        self._see(found)

    def _see(self, found: Environment) -> None:
        """Take the environment as it is found. The secrets of releases that have left it stay at hand.

        Pulumi remembers only those of the releases that are there, and whatever left may have to come back.
        """
        here = self.environment
        reason = here.during_freeze or found.during_freeze
        self.environment = replace(found, sealed={**here.sealed, **found.sealed}, during_freeze=reason)

    def _is_in_the_way(self, deployment: Deployment, leaving: Sequence[Release]) -> bool:
        """Return whether another first release can only come when those that are to go are gone."""
        all_go = bool(leaving) and len(leaving) == len(self.deployment.releases)
        return self.spec.anchored and all_go and bool(deployment.releases)
