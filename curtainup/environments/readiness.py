"""What the releases of an environment need until they answer: time, a start, their tasks, enough copies."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event

from curtainup.config.tasks import Task
from curtainup.environments import refusals
from curtainup.environments.view import EnvironmentView
from curtainup.gates import health
from curtainup.gates.asking import Asking
from curtainup.model.release import Release
from curtainup.session import Session
from curtainup.targets import capabilities, runs
from curtainup.targets.task_result import Ran

REVIVE_SECONDS = 5.0
"""How long a release that had stopped may take to answer, before curtainup goes back to it."""


class Readiness(EnvironmentView):
    """One environment, whose releases are brought to answer."""

    def __init__(self, session: Session, name: str) -> None:
        """Take an environment as it is.

        Args:
            session: the command's.
            name: of the environment.

        """
        super().__init__(session, name)
        self._there = {one.id for one in self.deployment.releases} | set(self.environment.places)

    @property
    def cancelled(self) -> Event:
        """Set when the run is to stop."""
        return self._session.run.cancelled

    def wait_until_healthy(self, release: Release) -> float:
        """Wait until a release answers on its own URL; return for how many seconds.

        One that was there before this run is started first when it does not answer.

        Raises:
            ReleaseUnhealthy: it exited, or did not answer in `start_timeout`.

        """
        asking = self.asking(release)
        with self.reachable(self.release_url(release)) as url:
            if (
                release.id in self._there
                and not health.answers(url, asking)
                and isinstance(self.target, capabilities.Revives)
            ):
                self.target.revive(release)
            target = self.target
            suspect = target.suspect(release) if isinstance(target, capabilities.Inspects) else None
            return self._wait_at(url, asking, suspect)

    def _wait_at(self, url: str, asking: Asking, suspect: health.Suspect | None) -> float:
        return health.wait_until_healthy(
            url,
            asking,
            suspect,
            timeout=self.config.start_timeout,
            cancelled=self._session.run.cancelled,
        )

    def grow(self, release_id: str, like: str, say: Callable[[str], None]) -> None:
        """Let a release have as many copies as another one has now, and wait until they are ready.

        Raises:
            ReleaseUnhealthy: they are not in `start_timeout`.

        """
        release, other = self.deployment.find(release_id), self.deployment.find(like)
        if release is None or other is None or not isinstance(self.target, capabilities.Grows):
            return
        growing = self.target.grow(release, other)
        if growing is not None:
            say(f"waiting until {release.version} has as many copies as {other.version}")
            with self.reachable(self.release_url(release)) as url:
                self._wait_at(url, self.asking(release), growing)

    def answers(self, release: Release) -> bool:
        """Return whether a release answers on its own URL; start it first if it had stopped.

        A release whose URL is not known counts as one that answers.
        """
        url, asking = self.known_release_url(release), self.asking(release)
        if url is None:
            return True
        with self.reachable(url) as reached:
            if health.answers(reached, asking):
                return True
            if not isinstance(self.target, capabilities.Revives):
                return False
            self.target.revive(release)
            return health.trouble_after(reached, asking, REVIVE_SECONDS) is None

    def run_task(self, release: Release, task: Task, on_line: Callable[[str], None]) -> Ran:
        """Run a task of the environment in the image of a release; see `runs.RunsTasks`."""
        if not isinstance(self.target, runs.RunsTasks):
            raise refusals.no_tasks(self.name, self.spec.name)
        return self.target.run_task(release, task, on_line)

    def end_tasks(self) -> None:
        """End the tasks that a run which was killed has left."""
        if isinstance(self.target, runs.EndsTasks):
            self.target.end_tasks()

    def renew(self, release: Release) -> None:
        """Start a release anew that ended before its tasks had run: it may have needed what they do."""
        if isinstance(self.target, capabilities.Renews):
            self.target.renew(release)
