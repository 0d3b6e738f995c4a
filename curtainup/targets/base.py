"""What the driver has to know of a target, besides running the program."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from curtainup.errors import CurtainupError, RefusedError
from curtainup.model.contract import AnyEnvironment
from curtainup.model.release import Address, Release
from curtainup.model.release_settings import AnySettings

if TYPE_CHECKING:
    from curtainup.config.tasks import Task
    from curtainup.gates.health import Suspect
    from curtainup.model.environment import Environment
    from curtainup.session import Session
    from curtainup.targets.task_result import Ran


class Target(Protocol):
    """One environment's place.

    Attributes:
        keep: how many releases without traffic stay for rollback, where nothing is configured.
        names_releases: whether answers say in `Curtainup-Release` which release they come from.
        reuses_ids: whether a release that failed may be tried again under the same id.
        bills_idle: whether a release without traffic costs what one with traffic does.
        anchored: whether an environment's name stays with the first of its releases until it moves, so that
            another first release can come only when that one is gone.
        splits: whether a release can have a part of the traffic.

    """

    keep: int
    names_releases: bool
    reuses_ids: bool
    bills_idle: bool
    anchored: bool
    splits: bool

    def require_ready(self) -> None:
        """Check, before anything is built, that the target can be reached with what is here.

        Raises:
            SetupError: an account, a plugin or an SDK is missing.

        """

    def runtime(self) -> AnySettings:
        """Return what a release runs with today, apart from PYM_ENV."""

    def interrupting(self, settings: AnyEnvironment) -> list[str]:
        """Return the keys whose new values would interrupt the environment's traffic."""

    def settings(
        self, current: AnyEnvironment | None, neighbours: Sequence[AnyEnvironment]
    ) -> AnyEnvironment:
        """Return the environment's own settings: chosen once, then as remembered and configured.

        Args:
            current: as remembered; None before the first deployment.
            neighbours: settings of the service's other environments: what they hold is not to be chosen,
                though nothing may listen there yet.

        Raises:
            CurtainupError: something that they name is not to be had.

        """

    def address(self, environment: Environment, release_id: str) -> Address | None:
        """Return the fixed place of a new release, where releases have one."""

    def url(self, environment: Environment) -> str | None:
        """Return where users reach the environment, None while that is not known yet."""

    def release_url(self, environment: Environment, one: Release) -> str | None:
        """Return where a release is reached alone, None while that is not known yet."""

    def is_private(self, environment: Environment) -> bool:
        """Return whether only those with an identity reach it: it has never been proven."""

    @contextmanager
    def reachable(self, environment: Environment, url: str) -> Iterator[str]:
        """Give a URL by which anybody on this machine reaches `url`, though it asks for an identity."""

    def suspect(self, environment: Environment, one: Release) -> Suspect | None:
        """Return what can be looked into when a release does not answer."""

    def revive(self, environment: Environment, one: Release) -> None:
        """Start a release that was there before this run and does not answer."""

    def require_there(self, environment: Environment, one: Release) -> None:
        """Check that what runs a kept release was not taken away by hand.

        Raises:
            UnknownRelease: it was; the fix says whether the release can be made again.

        """

    def drained(self, environment: Environment, releases: Sequence[str]) -> bool:
        """Return whether none of the releases has a request under way."""

    def require_moved(self, environment: Environment) -> None:
        """Check with what the target itself tells that traffic is split as it was to be.

        Raises:
            TrafficReturned: it is not.

        """

    def lingering(self, environment: Environment) -> float:
        """Return for how many seconds after a switch requests may still come to the old release."""

    def require_idle(self, environment: Environment, leaving: Sequence[Release]) -> None:
        """Check with the cloud itself that releases which are to go have no traffic.

        Raises:
            RefusedError: one has.

        """

    def run_task(
        self, environment: Environment, one: Release, task: Task, on_line: Callable[[str], None]
    ) -> Ran:
        """Run a task of the environment to its end in the image of a release, or stop it in time.

        Args:
            environment: where the release is staged.
            one: the release; the task has its variables and secrets.
            task: what to run.
            on_line: takes each line of its output.

        Raises:
            CurtainupError: it could not be run.

        """

    def end_tasks(self, environment: Environment) -> None:
        """End the tasks that a run which was killed has left."""

    def renew(self, environment: Environment, one: Release) -> None:
        """Start a release anew that ended before its tasks had run: it may have needed what they do."""

    def has_lost(self, environment: Environment) -> bool:
        """Return whether what runs a release was taken away behind Pulumi's back."""

    def watching(self, environment: Environment, told: Callable[[str], None]) -> AbstractContextManager[None]:
        """Tell, while an update runs, what the cloud itself says of it."""

    def explained(self, environment: Environment, error: CurtainupError, started: datetime) -> CurtainupError:
        """Return the error of an update that began then with what the target knows of it."""

    def costs(self, environment: Environment) -> str | None:
        """Return what the environment costs while nobody uses it, in words; None when nothing."""


def displaced(name: str, place: str, wanted: str, key: str) -> RefusedError:
    """Return the error for an environment that a changed key would make anew somewhere else.

    Args:
        name: of the environment.
        place: where it is, such as `in region eu-west-1`.
        wanted: what the key says now.
        key: of pym-config.yaml.

    """
    return RefusedError(
        f"{name} is {place}, and is now configured for {wanted}",
        where=f"{key} in pym-config.yaml",
        consequence="what serves there would be deleted unproven, so nothing was done",
        fix=f"put the old value back, or first run: curtainup destroy --env {name}",
    )


class BaseTarget:
    """What most targets have in common."""

    keep = 1
    names_releases = False
    reuses_ids = True
    bills_idle = False
    anchored = False
    splits = True

    def __init__(self, session: Session, name: str) -> None:
        self._session = session
        self.name = name
        self.config = session.service.config.for_environment(name)

    def require_ready(self) -> None:
        """Do nothing: whatever is missing says so by itself."""

    def interrupting(self, settings: AnyEnvironment) -> list[str]:  # noqa: ARG002
        """Return no key: a cloud changes its environments in place."""
        return []

    def address(self, environment: Environment, release_id: str) -> Address | None:  # noqa: ARG002
        """Return None: a cloud gives its own."""
        return None

    def url(self, environment: Environment) -> str | None:
        """Return the stack's output, None before the first update."""
        found = environment.outputs.get("url")
        return str(found) if found else None

    def release_url(self, environment: Environment, one: Release) -> str | None:
        """Return the stack's output, None before the release's first update."""
        found = (environment.outputs.get("release_urls") or {}).get(one.id)
        return str(found) if found else None

    def is_private(self, environment: Environment) -> bool:  # noqa: ARG002
        """Return False."""
        return False

    @contextmanager
    def reachable(self, environment: Environment, url: str) -> Iterator[str]:  # noqa: ARG002
        """Give the URL itself."""
        yield url

    def suspect(self, environment: Environment, one: Release) -> Suspect | None:  # noqa: ARG002
        """Return None: there is nothing on this machine to look into."""
        return None

    def revive(self, environment: Environment, one: Release) -> None:
        """Do nothing: a cloud starts by itself what has stopped."""

    def require_there(self, environment: Environment, one: Release) -> None:
        """Do nothing: a cloud keeps its own, and says so when it does not."""

    def drained(self, environment: Environment, releases: Sequence[str]) -> bool:  # noqa: ARG002
        """Return True: a cloud lets requests end by itself."""
        return True

    def require_moved(self, environment: Environment) -> None:
        """Do nothing: answers name their release, or the switch has looked itself."""

    def lingering(self, environment: Environment) -> float:  # noqa: ARG002
        """Return 0: the switch holds for every request that begins after it."""
        return 0

    def require_idle(self, environment: Environment, leaving: Sequence[Release]) -> None:
        """Do nothing: what has traffic is known by what Pulumi remembers."""

    def end_tasks(self, environment: Environment) -> None:
        """Do nothing: a cloud ends a task by itself when its time is over."""

    def renew(self, environment: Environment, one: Release) -> None:
        """Do nothing: a cloud wants a release healthy before its tasks run."""

    def has_lost(self, environment: Environment) -> bool:  # noqa: ARG002
        """Return False: nobody has looked, and `pulumi up --refresh` by hand puts it right."""
        return False

    def watching(
        self,
        environment: Environment,  # noqa: ARG002
        told: Callable[[str], None],  # noqa: ARG002
    ) -> AbstractContextManager[None]:
        """Tell nothing more than the engine does."""
        return nullcontext()

    def explained(self, environment: Environment, error: CurtainupError, started: datetime) -> CurtainupError:  # noqa: ARG002
        """Return the error as it is."""
        return error

    def costs(self, environment: Environment) -> str | None:  # noqa: ARG002
        """Return None."""
        return None
