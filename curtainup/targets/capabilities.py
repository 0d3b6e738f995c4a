"""What only some targets can do.

A target inherits from each of these that it offers, so its class line says what it can do. A caller asks with
`isinstance` before it calls, and otherwise does without. A new target therefore implements only what it has.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from curtainup.errors import CurtainupError
    from curtainup.gates.health import Suspect
    from curtainup.model.contract import EnvironmentSettings
    from curtainup.model.release import Address, Release
    from curtainup.targets.shared import Shared


@runtime_checkable
class NeedsAccount(Protocol):
    """The driver reaches the target with an account, a plugin or an SDK."""

    def require_ready(self) -> None:
        """Raise CurtainupError, before curtainup builds anything, if something of that is missing."""


@runtime_checkable
class NeedsBeside(Protocol):
    """Releases may need something beside them that others have made, such as a network."""

    def require_beside(self) -> None:
        """Raise CurtainupError, before curtainup builds anything, if something of that is missing."""


@runtime_checkable
class Asks(Protocol):
    """The cloud itself can be asked whether it would take an environment as configured."""

    def complaint(self) -> CurtainupError | None:
        """Return what it has against it, if it says so; raise CurtainupError if it is not reached."""


@runtime_checkable
class LendsWay(Protocol):
    """The engine reaches the target only by what the driver lends it, even where nothing is deployed yet."""

    def lend_way(self) -> None:
        """Lend this process the way, if there is one.

        Raises:
            CurtainupError: nobody tells whether there is one.

        """


@runtime_checkable
class MayLeadElsewhere(Protocol):
    """The name by which an update reaches the place of an environment may mean another place one day."""

    def require_same_place(self) -> None:
        """Raise CurtainupError if an update of the environment would reach another place than its own."""


@runtime_checkable
class NeedsGround(Protocol):
    """Some of what releases stand on takes minutes to take effect, so it is made long before them."""

    def lacks_ground(self) -> bool:
        """Return whether something of it is not there yet."""

    def ground_of(self, before: EnvironmentSettings, wanted: EnvironmentSettings) -> EnvironmentSettings:
        """Return earlier settings, with that of the wanted ones which belongs to the ground."""

    def ground_seconds(self) -> float:
        """Return for how many seconds it should have been there before a release needs it."""

    def is_too_early(self, error: CurtainupError) -> bool:
        """Return whether an update failed only because something that was just made has no effect yet."""


@runtime_checkable
class Chooses(Protocol):
    """The target chooses some settings of an environment once, such as a port, and then keeps them."""

    def first_settings(self, neighbours: Sequence[EnvironmentSettings]) -> EnvironmentSettings:
        """Return the settings of an environment that has none yet.

        It chooses nothing that the service's other environments hold, even if nothing listens there yet.
        """


@runtime_checkable
class ChoosesAnew(Protocol):
    """Something else may take what the target chose for an environment before anything serves there."""

    def chosen_anew(
        self, settings: EnvironmentSettings, neighbours: Sequence[EnvironmentSettings]
    ) -> EnvironmentSettings:
        """Return the settings of an environment where nothing serves, with what was taken chosen anew.

        Args:
            settings: as they are.
            neighbours: settings of the service's other environments.

        """


@runtime_checkable
class Interrupts(Protocol):
    """Some changes of the environment's settings interrupt its traffic."""

    def interrupting(self) -> list[str]:
        """Return the configuration keys whose new values would interrupt traffic."""


@runtime_checkable
class Reverts(Protocol):
    """Users notice the environment's own settings, so these go back with the traffic."""

    def reverted(self, settings: EnvironmentSettings, before: EnvironmentSettings) -> EnvironmentSettings:
        """Return the settings of an environment that is put back to what it was before."""


@runtime_checkable
class KnowsPlaces(Protocol):
    """The target knows the URLs before the first update, because it chooses them."""

    def address(self, release_id: str) -> Address:
        """Return the fixed address of an existing or a new release."""

    def url(self) -> str | None:
        """Return the URL of the environment; None before its settings are chosen."""

    def release_url(self, release: Release) -> str | None:
        """Return the URL that reaches this release alone."""


@runtime_checkable
class ForetellsReleases(Protocol):
    """The target knows where a release will be reached before the update ends that makes it."""

    def url_to_be(self, release: Release) -> str:
        """Return the URL that will reach this release alone."""


@runtime_checkable
class MayBeDistant(Protocol):
    """The environment's own URLs may mean something else on this machine, or nothing."""

    def from_here(self, url: str) -> str:
        """Return the URL by which every process of this machine's user reaches one of the environment's."""

    def by_way_of(self) -> str:
        """Say in words how this machine reaches those that are others here, such as `over SSH`."""


@runtime_checkable
class BesideEngine(Protocol):
    """The environment is on the machine of the Docker engine."""

    def is_beside_engine(self) -> bool:
        """Return whether containers of the Docker engine reach the environment's URLs as they are."""


@runtime_checkable
class MayMoveAtOnce(Protocol):
    """Some environments of the target move all traffic at once."""

    def splits(self) -> bool:
        """Return whether a release of this environment can have a part of the traffic."""


@runtime_checkable
class StartsPrivate(Protocol):
    """Only callers with an identity reach an environment until a release has passed its gate."""

    def is_private(self) -> bool:
        """Return whether the public may not call the environment."""

    def reachable(self, url: str) -> AbstractContextManager[str]:
        """Give a URL by which every process on this machine reaches `url`, without an identity."""

    def wait_until_public(self, say: Callable[[str], None]) -> None:
        """Wait until the public can really call an environment that has just become public.

        `say` gets what curtainup waits for. Raises CurtainupError if that takes too long.
        """


@runtime_checkable
class OpensLate(Protocol):
    """What leads users to an environment is made with it, and begins to do so a while later."""

    def opening(self) -> float:
        """Return for how many seconds that may take at most; 0 if it leads there at once."""


@runtime_checkable
class Inspects(Protocol):
    """The target can inspect what runs a release."""

    def suspect(self, release: Release) -> Suspect:
        """Return what to inspect when the release does not answer."""


@runtime_checkable
class Revives(Protocol):
    """A release that stopped does not start again by itself."""

    def revive(self, release: Release) -> None:
        """Start a release that existed before this run and does not answer."""


@runtime_checkable
class Renews(Protocol):
    """A release that exits again and again is started less and less often."""

    def renew(self, release: Release) -> None:
        """Start a new release again after its tasks, without which it may have exited."""


@runtime_checkable
class Grows(Protocol):
    """The number of a release's copies follows its load: without traffic there are fewer than with it."""

    def grow(self, release: Release, like: Release) -> Suspect | None:
        """Give a release as many copies as another one has now; return what tells when they are there."""


@runtime_checkable
class ChecksPresence(Protocol):
    """Somebody can remove what runs a release without Pulumi, and no update would notice."""

    def require_there(self, release: Release) -> None:
        """Raise UnknownRelease if what runs a kept release is gone; the fix says how it can come back."""


@runtime_checkable
class Drains(Protocol):
    """The target knows the requests in flight."""

    def drained(self, releases: Sequence[str]) -> bool:
        """Return whether none of the releases has a request in flight."""


@runtime_checkable
class Lingers(Protocol):
    """The old release may get requests for a while after a switch."""

    def lingering(self) -> float:
        """Return for how many seconds."""


@runtime_checkable
class Confirms(Protocol):
    """The target itself reports the traffic split, because answers do not name their release."""

    def require_moved(self, traffic: Mapping[str, int]) -> None:
        """Raise TrafficReturned if the reported split is not the wanted one, in per cent by release id."""


@runtime_checkable
class Shares(Protocol):
    """The environment needs something that it shares with other services, in a stack of its own."""

    def shared(self) -> Shared | None:
        """Return it if it is to be made; None if it is there, or not needed."""

    def require_room(self) -> None:
        """Check, before anything is built, that it can be made, or has room for the environment.

        Raises:
            CurtainupError: something is in the way.

        """

    def needs(self, settings: EnvironmentSettings) -> bool:
        """Return whether an environment with such settings needs it."""

    def as_before(
        self, settings: EnvironmentSettings, before: EnvironmentSettings | None
    ) -> EnvironmentSettings:
        """Return settings that need of it what earlier ones needed; None needs nothing."""

    def as_found(self, settings: EnvironmentSettings) -> EnvironmentSettings:
        """Return settings of an environment that needs it, with which the environment finds what is there."""

    def is_cut_off(self) -> bool:
        """Return whether somebody has taken away the environment's way to it."""

    def alone(self) -> AbstractContextManager[None]:
        """Let nobody else make it while a block runs, and bring what making it needs.

        Whoever has waited for somebody else has to look again whether it is to be made.
        """

    def bring(self) -> None:
        """Bring to it what is the environment's own, before each update."""

    def unshared(self) -> str | None:
        """Return how it can be removed if nobody needs it any more; None if somebody does."""


@runtime_checkable
class Audits(Protocol):
    """The target can be asked for the truth, whatever Pulumi remembers."""

    def has_lost(self) -> bool:
        """Return whether somebody removed what runs a release."""

    def require_idle(self, leaving: Sequence[Release]) -> None:
        """Raise RefusedError if one of the releases to remove has traffic."""


@runtime_checkable
class MovesLate(Protocol):
    """Traffic moves after the call, and goes on moving when the run that has asked for it is killed."""

    def is_moving(self) -> bool:
        """Return whether traffic may be moving now, so that what is told of it is of the time before."""


@runtime_checkable
class Bills(Protocol):
    """An idle environment may cost money."""

    def costs(self) -> str | None:
        """Return in words what costs money; None if nothing does."""
