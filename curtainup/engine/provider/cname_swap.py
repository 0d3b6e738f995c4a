"""The swap of names on Elastic Beanstalk: which environment of an application holds the live name.

`CnameSwap` is the resource in Pulumi's state, and the functions below are its operations. They ask Beanstalk
each time, so they may be repeated: a name that is already in the right place stays there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from threading import Event
from time import monotonic
from typing import Any, NoReturn

from curtainup.engine.provider import beanstalk
from curtainup.engine.provider.kind import Partial, Properties, Say, silent
from curtainup.engine.provider.protocol import UNKNOWN, has_unknown
from curtainup.errors import CurtainupError, EngineFailed, Interrupted, SetupError, StateError
from curtainup.platforms import amazon

TYPE = "curtainup:cname_swap:CnameSwap"
DERIVED: tuple[str, ...] = ()
LASTING: tuple[str, ...] = ("cname",)
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 10.0
"""Seconds between two looks, which become longer: the API's rate is the account's in a region."""
# An environment in one of these states does not become ready again.
ENDING = frozenset({"Aborting", "Terminating", "Terminated"})


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


def holder(names: Sequence[str], prefix: str, region: str, profile: str | None) -> str | None:
    """Return the environment that really holds the live name, or None if none of them does.

    Args:
        names: the names of the environments to look at.
        prefix: the prefix of the live name.
        region: the region of the environments.
        profile: the AWS profile to use; None is that of the deployer's environment.

    Raises:
        SetupError: AWS cannot be reached, or refuses the request.

    """
    with amazon.said_clearly("elasticbeanstalk"):
        client = amazon.client("elasticbeanstalk", region, profile)
        found = beanstalk.describe(client, EnvironmentNames=list(names))
        holding = beanstalk.holding(client, found, prefix)
    return holding.name if holding else None


def gone(names: Sequence[str], region: str, profile: str | None) -> list[str]:
    """Return the environments that no longer exist; arguments and errors are those of `holder`."""
    with amazon.said_clearly("elasticbeanstalk"):
        client = amazon.client("elasticbeanstalk", region, profile)
        there = {one.name for one in beanstalk.describe(client, EnvironmentNames=list(names))}
    return [one for one in names if one not in there]


def parse(inputs: Properties) -> Swap:
    """Return the swap that checked inputs describe."""
    return Swap(
        region=inputs["region"],
        profile=inputs.get("profile"),
        application=inputs["application"],
        prefix=inputs["prefix"],
        environments=inputs["environments"],
        holder=inputs.get("holder") or None,
        health_path=inputs["healthPath"],
        timeout=inputs["timeout"],
    )


def check(olds: Properties, news: Properties) -> list[tuple[str, str]]:
    """Return what is wrong with the inputs, as property and reason; unknown values pass."""
    failures = []
    old, new = olds.get("generation"), news.get("generation")
    if old is not None and new is not None and UNKNOWN not in (old, new) and new < old:
        reason = (
            f"the stack's settings file is older (generation {new}) than what is deployed ({old}), and "
            "would move traffic back; fix: pulumi config refresh --force"
        )
        failures.append(("generation", reason))
    environments, wanted = news.get("environments", {}), news.get("holder")
    if wanted and environments != UNKNOWN and wanted not in environments:
        failures.append(("holder", f"{wanted} is not among the releases {', '.join(environments)}"))
    if olds.get("prefix") not in (None, news.get("prefix")):
        failures.append(("prefix", f"the live name cannot change from {olds['prefix']}: users have it"))
    return failures


def completed(inputs: Properties) -> dict[str, Any]:
    """Return the inputs; the swap derives nothing from them."""
    return dict(inputs)


def foreseen(inputs: Properties) -> dict[str, Any]:
    """Return the outputs that a preview may promise."""
    wanted = inputs.get("holder")
    known = wanted and not has_unknown(inputs["environments"])
    return {**inputs, "cname": UNKNOWN, "environment": inputs["environments"][wanted] if known else UNKNOWN}


def name(inputs: Properties) -> str:
    """Return the resource's id: the live name belongs to a region."""
    return f"{inputs['region']}/{inputs['prefix']}"


def create(
    inputs: Properties,
    cancelled: Event,
    say: Say = silent,
    *,
    stack: str | None = None,  # noqa: ARG001 - the application's environments are the stack's own
) -> dict[str, Any]:
    """Give the live name to the right environment; return the resource's outputs.

    Raises:
        EngineFailed: an environment does not become ready, or Beanstalk refuses; nothing has moved.
        StateError: an environment is missing, or the one that holds the name is about to be removed.
        Partial: the name has moved, but does not lead to the release in time.
        Interrupted: the swap was cancelled, and nothing has moved.

    """
    swap = parse(inputs)
    with amazon.said_clearly("elasticbeanstalk"):
        client = amazon.client("elasticbeanstalk", swap.region, swap.profile)
        move = _Move(client, swap, cancelled, say)
        before = move.holding()
        wanted = swap.environments[swap.holder] if swap.holder else before.name
        if wanted not in swap.environments.values():
            raise _not_kept(before, swap)
        outputs = {**inputs, "cname": before.cname, "environment": wanted}
        if wanted != before.name:
            move.swap(before, wanted)
            _finish(move, before, wanted, outputs)
    return outputs


def _finish(move: _Move, before: beanstalk.Found, wanted: str, outputs: dict[str, Any]) -> None:
    """Wait until the name has moved; whatever goes wrong from here on, Beanstalk has begun to move it."""
    try:
        with amazon.said_clearly("elasticbeanstalk"):
            move.wait_until_moved(before, wanted)
            move.wait_until_it_answers(before.cname)
    except SetupError as error:
        error.consequence = "Beanstalk has begun to move the live name, and curtainup did not see the end"
        raise Partial(error, outputs) from error
    except CurtainupError as error:
        raise Partial(error, outputs) from error


def update(
    olds: Properties,  # noqa: ARG001 - the same is done whatever they are
    inputs: Properties,
    cancelled: Event,
    say: Say = silent,
    *,
    stack: str | None = None,
) -> dict[str, Any]:
    """Give the live name to the right environment, as `create` does."""
    return create(inputs, cancelled, say, stack=stack)


def read(state: Properties) -> dict[str, Any] | None:
    """Return the real outputs, or None if the application has no environment any more.

    They contain only environments that exist. The holder is empty if none of the releases holds the name.
    """
    swap = parse(state)
    with amazon.said_clearly("elasticbeanstalk"):
        client = amazon.client("elasticbeanstalk", swap.region, swap.profile)
        found = beanstalk.describe(client, ApplicationName=swap.application)
        holding = beanstalk.holding(client, found, swap.prefix)
    if not found:
        return None
    there = {one.name for one in found}
    named = {held: release for release, held in swap.environments.items()}
    real = holding.name if holding else ""
    return {
        **state,
        "environments": {release: held for release, held in swap.environments.items() if held in there},
        **({"holder": named.get(real, "")} if swap.holder else {}),
        "environment": real,
    }


def delete(state: Properties) -> None:
    """Leave what it steers as it is."""
    del state


class _Move:
    """One move of the live name, with one time limit for all its waiting."""

    def __init__(self, client: Any, swap: Swap, cancelled: Event, say: Say) -> None:
        self._client = client
        self._swap = swap
        self._cancelled = cancelled
        self._say = say
        self._deadline = monotonic() + swap.timeout
        self._next_pause = FIRST_PAUSE

    def holding(self) -> beanstalk.Found:
        """Return the environment that holds the live name now."""
        found = beanstalk.describe(self._client, ApplicationName=self._swap.application)
        holding = beanstalk.holding(self._client, found, self._swap.prefix)
        if holding is None:
            raise StateError(
                f"no environment holds the live name {self._swap.prefix}",
                where=f"application {self._swap.application}, {self._swap.region}",
                consequence="there is nothing to swap with, and users reach nothing under that name",
                fix="somebody terminated it by hand; run curtainup destroy, then deploy again",
            )
        return holding

    def swap(self, before: beanstalk.Found, destination: str) -> None:
        """Wait until both environments are ready, and ask Beanstalk to swap their names.

        An answer may get lost. botocore then asks again, and Beanstalk refuses, as it has begun. So what
        counts is what Beanstalk tells of the environments.
        """
        from botocore.exceptions import BotoCoreError, ClientError

        source = before.name
        self._wait_until_ready(source, destination)
        self._say(f"swapping the names of {source} and {destination}")
        try:
            self._client.swap_environment_cnames(
                SourceEnvironmentName=source, DestinationEnvironmentName=destination
            )
        except (BotoCoreError, ClientError, TimeoutError) as error:
            if self._has_begun(before, destination):
                return
            raise EngineFailed(
                f"Elastic Beanstalk refused the swap: {_words(error)}",
                where=f"{source} and {destination}",
                consequence="the live name has not moved",
                fix=f"aws elasticbeanstalk describe-events --environment-name {destination}",
                detail=beanstalk.events(self._client, [source, destination]),
            ) from error

    def _has_begun(self, before: beanstalk.Found, destination: str) -> bool:
        """Return whether Beanstalk moves the name, or has moved it; or may, as it tells nothing.

        Whoever waits for the end of the move then looks again.
        """
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            found = self._look(before.name, destination)
        except (BotoCoreError, ClientError, TimeoutError):
            return True
        return any(one.status == "Updating" for one in found.values()) or (
            destination in found and found[destination].cname == before.cname
        )

    def _look(self, *names: str, so_far: str = "the live name is moving") -> dict[str, beanstalk.Found]:
        """Return the environments by name; asks again later if that is too soon for Beanstalk."""
        from botocore.exceptions import ClientError

        while True:
            try:
                found = beanstalk.describe(self._client, EnvironmentNames=list(names))
            except ClientError as error:
                if amazon.code_of(error) not in amazon.THROTTLED:
                    raise
                self._pause("Beanstalk answers that there are too many calls; looking again later", so_far)
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

    def _wait_until_ready(
        self, *names: str, so_far: str = "the live name has not moved"
    ) -> dict[str, beanstalk.Found]:
        while True:
            found = self._look(*names, so_far=so_far)
            unready = [found.get(one) or beanstalk.Found(one, "Terminated", "", "") for one in names]
            unready = [one for one in unready if one.status != "Ready"]
            if not unready:
                return found
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
        if self._cancelled.wait(pause):
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


def _words(error: Exception) -> str:
    answer: Mapping[str, Any] = getattr(error, "response", None) or {}
    return str(answer.get("Error", {}).get("Message") or error)


def _not_kept(holding: beanstalk.Found, swap: Swap) -> StateError:
    return StateError(
        f"environment {holding.name} holds the live name, and is about to be terminated",
        where=f"application {swap.application}, {swap.region}",
        consequence="that would remove live, so nothing was done",
        fix="pulumi refresh, then give the traffic to a release that stays: curtainup rollback",
    )
