"""One move of the live name on Elastic Beanstalk from one environment to another."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from threading import Event
from time import monotonic
from typing import Any, NoReturn

from curtainup.engine.provider import beanstalk
from curtainup.engine.provider.kind import Say
from curtainup.errors import EngineFailed, Interrupted, StateError
from curtainup.platforms import amazon

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 10.0
"""Seconds between two looks, which become longer: the API's rate is the account's in a region."""
TOO_MANY = "Beanstalk answers that there are too many calls; looking again later"
UNMOVED = "the live name has not moved"
UNSURE = "the live name may be moving, by a swap that began before"
# An environment in one of these states does not become ready again.
ENDING = frozenset({"Aborting", "Terminating", "Terminated"})
# No swap of an environment in one of these states is running.
SETTLED = ENDING | {"Ready"}


@dataclass(frozen=True)
class Swap:
    """The wanted state of a swap.

    Attributes:
        region: the region of the environments.
        profile: the AWS profile to use; None is that of the deployer's environment.
        application: the Beanstalk application of the environments.
        prefix: the prefix of the live name.
        environments: the name of each kept environment, by release id.
        holder: the id of the release that gets the live name; None leaves the name where it is.
        health_path: the path of requests to the live name.
        timeout: how many seconds all waiting may take together.

    """

    region: str
    profile: str | None
    application: str
    prefix: str
    environments: Mapping[str, str]
    holder: str | None
    health_path: str
    timeout: float


class Move:
    """One move of the live name, with one time limit for all its waiting."""

    def __init__(self, client: Any, swap: Swap, cancelled: Event, say: Say) -> None:
        self._client = client
        self._swap = swap
        self._cancelled = cancelled
        self._say = say
        self._deadline = monotonic() + swap.timeout
        self._next_pause = FIRST_PAUSE

    def holding(self, known: str | None = None, wanted: str | None = None) -> beanstalk.Found:
        """Return the environment that holds the live name now, after the end of a swap that still runs.

        Until that end Beanstalk tells who held the name before, and that the environment is Updating.

        Args:
            known: the environment that held it after the last move, if there was one. An older answer, taken
                for the present one, would move the name back.
            wanted: the environment that is to hold it, if one is.

        Raises:
            EngineFailed: one of these environments does not become ready.
            StateError: nobody holds the name.
            Interrupted: the swap was cancelled.

        """

        def look() -> tuple[beanstalk.Found | None, list[beanstalk.Found]]:
            found, holding = self._seen()
            return holding, _busy(found, {known, wanted, holding.name if holding else None})

        def fits(told: tuple[beanstalk.Found | None, list[beanstalk.Found]]) -> bool:
            holding, busy = told
            return bool(busy) or (holding is not None and known in {None, holding.name})

        def wait(seconds: float) -> None:
            waiting_for = f"waiting to see which environment holds {self._swap.prefix}"
            self._say(waiting_for)
            self._rest(seconds, waiting_for, UNMOVED)

        holding, busy = beanstalk.told_at_last(look, fits, wait)
        while busy:
            self._wait_for_others(busy, {known, holding.name if holding else None})
            holding, busy = beanstalk.told_at_last(look, fits, wait)
        if holding is None:
            raise StateError(
                f"no environment holds the live name {self._swap.prefix}",
                where=f"application {self._swap.application}, {self._swap.region}",
                consequence="there is nothing to swap with, and users reach nothing under that name",
                fix="somebody terminated it by hand; run curtainup destroy, then deploy again",
            )
        return holding

    def told(self, known: str) -> tuple[set[str], str]:
        """Return which environments are there and which holds the live name, after a swap that still runs.

        Args:
            known: the environment that held it after the last move; empty if it is not known.

        Raises:
            EngineFailed: the one that holds it does not become ready.
            Interrupted: the run was cancelled.

        """

        def look() -> tuple[set[str], str, list[beanstalk.Found]]:
            found, holding = self._seen()
            name = holding.name if holding else ""
            return {one.name for one in found}, name, _busy(found, {known, name})

        while True:
            there, name, busy = beanstalk.told_at_last(
                look, lambda seen: bool(seen[2]) or seen[1] == known, self._cancelled.wait
            )
            if not busy:
                return there, name
            self._wait_for_others(busy, {known, name})

    def _seen(self) -> tuple[list[beanstalk.Found], beanstalk.Found | None]:
        """Return the application's environments, and which of them holds the live name."""
        found = beanstalk.describe(self._client, ApplicationName=self._swap.application)
        return found, beanstalk.holding(self._client, found, self._swap.prefix)

    def _wait_for_others(self, busy: Sequence[beanstalk.Found], holders: Collection[str | None]) -> None:
        """Wait until environments are ready of which others may be swapping the names."""
        names = [one.name for one in busy]
        so_far = UNSURE if any(one in holders for one in names) else UNMOVED
        self._pause_for(busy, so_far, *names)
        self._wait_until_ready(*names, so_far=so_far)

    def swap(self, before: beanstalk.Found, destination: str) -> None:
        """Wait until both environments are ready, and ask Beanstalk to swap their names.

        An answer may get lost. A second call would then swap the names back once the first swap is over, so
        botocore must not repeat it, and what counts is what Beanstalk tells of the environments. Only a call
        that came too soon has done nothing, and is repeated.
        """
        from botocore.exceptions import BotoCoreError, ClientError

        source = before.name
        self._wait_until_ready(source, destination)
        self._say(f"swapping the names of {source} and {destination}")
        try:
            while not self._is_accepted(source, destination):
                self._pause(TOO_MANY, UNMOVED, source, destination)
        except (BotoCoreError, ClientError, TimeoutError) as error:
            if self._has_begun(before, destination, 0.0 if _is_certain(error) else beanstalk.LAG):
                return
            raise EngineFailed(
                f"Elastic Beanstalk refused the swap: {_words(error)}",
                where=f"{source} and {destination}",
                consequence=UNMOVED,
                fix=f"aws elasticbeanstalk describe-events --environment-name {destination}",
                detail=beanstalk.events(self._client, [source, destination]),
            ) from error

    def _is_accepted(self, source: str, destination: str) -> bool:
        """Ask for the swap once; return whether Beanstalk took the call, and did not find it too soon."""
        from botocore.exceptions import ClientError

        once = amazon.client("elasticbeanstalk", self._swap.region, self._swap.profile, attempts=1)
        try:
            once.swap_environment_cnames(SourceEnvironmentName=source, DestinationEnvironmentName=destination)
        except ClientError as error:
            if amazon.code_of(error) not in amazon.THROTTLED:
                raise
            return False
        return True

    def _has_begun(self, before: beanstalk.Found, destination: str, patience: float) -> bool:
        """Return whether Beanstalk moves the name, or has moved it; or may, as it tells nothing.

        What it tells may be of the time before the call, so it is asked again until patience is over, or
        until the run is. Whoever waits for the end of the move then looks again.
        """
        from botocore.exceptions import BotoCoreError, ClientError

        over = monotonic() + patience
        while True:
            try:
                found = self._look(before.name, destination)
            except (BotoCoreError, ClientError, TimeoutError):
                return True
            if any(one.status == "Updating" for one in found.values()):
                return True
            if destination in found and found[destination].cname == before.cname:
                return True
            if monotonic() > over:
                return False
            self._say("waiting to see whether Beanstalk swaps the names: its answer left that open")
            if self._cancelled.wait(beanstalk.LAG_PAUSE):
                return True

    def _look(self, *names: str, so_far: str = "the live name is moving") -> dict[str, beanstalk.Found]:
        """Return the environments by name; asks again later if that is too soon for Beanstalk."""
        from botocore.exceptions import ClientError

        while True:
            try:
                found = beanstalk.describe(self._client, EnvironmentNames=list(names))
            except ClientError as error:
                if amazon.code_of(error) not in amazon.THROTTLED:
                    raise
                self._pause(TOO_MANY, so_far)
                continue
            return {one.name: one for one in found}

    def wait_until_moved(self, before: beanstalk.Found, wanted: str) -> None:
        """Wait until the other environment has the live name, and both are ready again."""
        while True:
            found = self._wait_until_ready(before.name, wanted, so_far="the live name is moving")
            if found[wanted].cname == before.cname:
                return
            self._pause(f"waiting for {wanted} to get the name {before.cname}")

    def wait_until_it_answers(self, cname: str) -> None:
        """Wait until the right release answers at the live name, because resolvers cache old answers."""
        while (reached := beanstalk.release_at(cname, self._swap.health_path)) != self._swap.holder:
            self._pause(f"waiting for http://{cname} to lead to {self._swap.holder}, not to {reached}")

    def _wait_until_ready(self, *names: str, so_far: str = UNMOVED) -> dict[str, beanstalk.Found]:
        while True:
            found = self._look(*names, so_far=so_far)
            unready = [found.get(one) or beanstalk.Found(one, "Terminated", "", "") for one in names]
            unready = [one for one in unready if one.status != "Ready"]
            if not unready:
                return found
            self._pause_for(unready, so_far, *names)

    def _pause_for(self, unready: Sequence[beanstalk.Found], so_far: str, *names: str) -> None:
        text = ", ".join(f"{one.name} is {one.status} since {one.since}" for one in unready)
        if any(one.status in ENDING for one in unready):
            self._fail(text, so_far, *names)
        self._pause(f"waiting: {text}", so_far, *names)

    def _pause(self, waiting_for: str, so_far: str = "the live name is moving", *names: str) -> None:
        """Say what the move waits for, and wait until the next look."""
        self._say(waiting_for)
        if monotonic() > self._deadline:
            self._fail(f"{waiting_for}, for {self._swap.timeout:.0f} s", so_far, *names)
        pause, self._next_pause = self._next_pause, min(self._next_pause * 1.5, LONGEST_PAUSE)
        self._rest(pause, waiting_for, so_far)

    def _rest(self, seconds: float, waiting_for: str, so_far: str) -> None:
        if self._cancelled.wait(seconds):
            raise Interrupted(
                f"cancelled while {waiting_for}",
                where=self._where,
                consequence=so_far,
                fix="pulumi up --refresh",
            )

    def _fail(self, what: str, so_far: str, *names: str) -> NoReturn:
        raise EngineFailed(
            what,
            where=self._where,
            consequence=so_far,
            fix="fix what Beanstalk's events report, or raise ready_timeout in pym-config.yaml",
            detail=beanstalk.events(self._client, names),
        )

    @property
    def _where(self) -> str:
        return f"application {self._swap.application}, {self._swap.region}"


def _busy(found: Sequence[beanstalk.Found], names: Collection[str | None]) -> list[beanstalk.Found]:
    """Return those of the named environments of which a swap may be running."""
    return [one for one in found if one.name in names and one.status not in SETTLED]


def _is_certain(error: Exception) -> bool:
    """Return whether an error says that Beanstalk began no swap.

    A server's own failure (HTTP 5xx) says nothing of what it did. Environments that must be Ready may be in
    the very swap that was asked for.
    """
    answer: Mapping[str, Any] = getattr(error, "response", None) or {}
    status = answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return 400 <= status < 500 and "must be ready" not in _words(error).lower()


def _words(error: Exception) -> str:
    answer: Mapping[str, Any] = getattr(error, "response", None) or {}
    return str(answer.get("Error", {}).get("Message") or error)
