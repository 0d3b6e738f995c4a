"""What some targets can and others need not: whoever calls one of these asks first whether the target is one.

A target names what it can in its class line. What each does for the environment is said here once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from datetime import datetime

    from curtainup.config.tasks import Task
    from curtainup.errors import CurtainupError
    from curtainup.gates.health import Suspect
    from curtainup.model.contract import EnvironmentSettings
    from curtainup.model.release import Address, Release
    from curtainup.targets.task_result import Ran


@runtime_checkable
class NeedsAccount(Protocol):
    """It is reached with an account, a plugin or an SDK."""

    def require_ready(self) -> None:
        """Check, before anything is built, that the target can be reached with what is here.

        Raises:
            CurtainupError: an account, a plugin or an SDK is missing.

        """


@runtime_checkable
class Chooses(Protocol):
    """It chooses some settings of an environment once, beside those that others have."""

    def first_settings(self, neighbours: Sequence[EnvironmentSettings]) -> EnvironmentSettings:
        """Return the settings of an environment that has none yet.

        Args:
            neighbours: settings of the service's other environments: what they hold is not to be chosen,
                though nothing may listen there yet.

        Raises:
            CurtainupError: something that the configuration names is not to be had.

        """


@runtime_checkable
class Interrupts(Protocol):
    """Some changes of an environment's settings would interrupt its traffic."""

    def interrupting(self) -> list[str]:
        """Return the keys whose new values would."""


@runtime_checkable
class FixesPlaces(Protocol):
    """It knows where things are reached before the first update, as it chooses that itself."""

    def address(self, release_id: str) -> Address:
        """Return the fixed place of a release, one that is there or a new one."""

    def url(self) -> str | None:
        """Return where users reach the environment; None before its settings are chosen."""

    def release_url(self, release: Release) -> str | None:
        """Return where a release is reached alone."""


@runtime_checkable
class Hides(Protocol):
    """Nobody reaches an environment without an identity until it is proven."""

    def is_private(self) -> bool:
        """Return whether that is so now."""

    def reachable(self, url: str) -> AbstractContextManager[str]:
        """Give a URL by which anybody on this machine reaches `url`, though it may ask for an identity."""


@runtime_checkable
class Suspects(Protocol):
    """It can look into what runs a release."""

    def suspect(self, release: Release) -> Suspect:
        """Return what is looked into when the release does not answer."""


@runtime_checkable
class Revives(Protocol):
    """What runs a release may have stopped, and has to be started by us."""

    def revive(self, release: Release) -> None:
        """Start a release that was there before this run and does not answer."""

    def renew(self, release: Release) -> None:
        """Start a release anew that ended before its tasks had run: it may have needed what they do."""


@runtime_checkable
class Misses(Protocol):
    """What runs a release may have been taken away by hand, which no update would notice."""

    def require_there(self, release: Release) -> None:
        """Check that what runs a kept release is there.

        Raises:
            UnknownRelease: it is not; the fix says whether the release can be made again.

        """


@runtime_checkable
class Drains(Protocol):
    """It tells which requests are under way."""

    def drained(self, releases: Sequence[str]) -> bool:
        """Return whether none of the releases has a request under way."""


@runtime_checkable
class Lingers(Protocol):
    """Requests may come to the old release for a while after a switch."""

    def lingering(self) -> float:
        """Return for how many seconds."""


@runtime_checkable
class Confirms(Protocol):
    """It tells itself how traffic is split, where answers name no release."""

    def require_moved(self) -> None:
        """Check that traffic is split as it was to be.

        Raises:
            TrafficReturned: it is not.

        """


@runtime_checkable
class Looks(Protocol):
    """It can be asked what is so, whatever Pulumi remembers."""

    def has_lost(self) -> bool:
        """Return whether what runs a release was taken away behind Pulumi's back."""

    def require_idle(self, leaving: Sequence[Release]) -> None:
        """Check that releases which are to go have no traffic.

        Raises:
            RefusedError: one has.

        """


@runtime_checkable
class RunsTasks(Protocol):
    """It runs an environment's tasks."""

    def run_task(self, release: Release, task: Task, on_line: Callable[[str], None]) -> Ran:
        """Run a task to its end in the image of a release, or stop it in time.

        Args:
            release: the release, which is staged; the task has its variables and secrets.
            task: what to run.
            on_line: takes each line of its output.

        Raises:
            CurtainupError: it could not be run.

        """


@runtime_checkable
class EndsTasks(Protocol):
    """Tasks go on after a run that was killed."""

    def end_tasks(self) -> None:
        """End those that there are."""


@runtime_checkable
class Watches(Protocol):
    """It tells what it is doing while an update waits for it."""

    def watching(self, on_progress: Callable[[str], None]) -> AbstractContextManager[None]:
        """Tell that, one line at a time, while a block runs."""


@runtime_checkable
class Explains(Protocol):
    """It knows more of an update that failed than the engine does."""

    def explained(self, error: CurtainupError, started: datetime) -> CurtainupError:
        """Return the error of an update that began then with what the target knows of it."""


@runtime_checkable
class Bills(Protocol):
    """An environment may cost something while nobody uses it."""

    def costs(self) -> str | None:
        """Return what that is, in words; None when it is nothing."""
