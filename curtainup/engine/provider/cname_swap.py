"""The swap of names on Elastic Beanstalk: which environment of an application holds the live name.

`CnameSwap` is the resource in Pulumi's state, and the functions below are its operations. They ask Beanstalk
each time, so they may be repeated: a name that is already in the right place stays there.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from threading import Event
from typing import Any

from curtainup.engine.provider import beanstalk
from curtainup.engine.provider.cname_move import SETTLED, Move, Swap
from curtainup.engine.provider.kind import Partial, Properties, Say, silent
from curtainup.engine.provider.protocol import UNKNOWN, has_unknown
from curtainup.errors import CurtainupError, SetupError, StateError
from curtainup.platforms import amazon

TYPE = "curtainup:cname_swap:CnameSwap"
DERIVED: tuple[str, ...] = ()
LASTING: tuple[str, ...] = ("cname",)


def holder(
    names: Sequence[str],
    prefix: str,
    region: str,
    profile: str | None,
    expected: Collection[str],
    wait: Callable[[float], object],
) -> str | None:
    """Return the environment that really holds the live name, or None if none of them does.

    Args:
        names: the names of the environments to look at.
        prefix: the prefix of the live name.
        region: the region of the environments.
        profile: the AWS profile to use; None is that of the deployer's environment.
        expected: those of which one is expected to hold it; as long as another is told, or the name may be
            moving, it is asked again.
        wait: waits so many seconds; what it returns, if true, ends the asking.

    Raises:
        SetupError: AWS cannot be reached, or refuses the request.

    """
    with amazon.said_clearly("elasticbeanstalk"):
        client = amazon.client("elasticbeanstalk", region, profile)
        holding = beanstalk.told_at_last(
            lambda: _holding(client, names, prefix),
            lambda one: one is not None and one.name in expected and one.status in SETTLED,
            wait,
        )
    return holding.name if holding else None


def is_moving(names: Sequence[str], prefix: str, region: str, profile: str | None) -> bool:
    """Return whether the live name may be moving; arguments and errors are those of `holder`."""
    with amazon.said_clearly("elasticbeanstalk"):
        holding = _holding(amazon.client("elasticbeanstalk", region, profile), names, prefix)
    return holding is not None and holding.status not in SETTLED


def _holding(client: Any, names: Sequence[str], prefix: str) -> beanstalk.Found | None:
    found = beanstalk.describe(client, EnvironmentNames=list(names))
    return beanstalk.holding(client, found, prefix)


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
    known: str | None = None,
) -> dict[str, Any]:
    """Give the live name to the right environment; return the resource's outputs.

    `known` is the environment that held it after the last update, if there was one.

    Raises:
        EngineFailed: an environment does not become ready, or Beanstalk refuses; this call has moved nothing.
        StateError: an environment is missing, or the one that holds the name is about to be removed.
        Partial: the name has moved, but does not lead to the release in time.
        Interrupted: the swap was cancelled, and this call has moved nothing.

    """
    swap = parse(inputs)
    with amazon.said_clearly("elasticbeanstalk"):
        client = amazon.client("elasticbeanstalk", swap.region, swap.profile)
        move = Move(client, swap, cancelled, say)
        chosen = swap.environments[swap.holder] if swap.holder else None
        before = move.holding(known, chosen)
        wanted = chosen or before.name
        if wanted not in swap.environments.values():
            raise _not_kept(before, swap)
        outputs = {**inputs, "cname": before.cname, "environment": wanted}
        if wanted != before.name:
            move.swap(before, wanted)
            _finish(move, before, wanted, outputs)
    return outputs


def _finish(move: Move, before: beanstalk.Found, wanted: str, outputs: dict[str, Any]) -> None:
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
    olds: Properties,
    inputs: Properties,
    cancelled: Event,
    say: Say = silent,
    *,
    stack: str | None = None,
) -> dict[str, Any]:
    """Give the live name to the right environment, as `create` does."""
    return create(inputs, cancelled, say, stack=stack, known=olds.get("environment") or None)


def read(state: Properties, cancelled: Event | None = None, say: Say = silent) -> dict[str, Any] | None:
    """Return the real outputs, or None if the application has no environment any more.

    They contain only environments that exist. The holder is empty if none of the releases holds the name.
    What differs from the state may be of the time before, and is read again for a while. A swap that a run
    has left under way is waited for: until its end Beanstalk tells who held the name before.

    Raises:
        EngineFailed: the environment that holds the name does not become ready.
        Interrupted: the reading was cancelled.

    """
    swap, before = parse(state), str(state.get("environment") or "")
    with amazon.said_clearly("elasticbeanstalk"):
        client = amazon.client("elasticbeanstalk", swap.region, swap.profile)
        there, real = Move(client, swap, cancelled or Event(), say).told(before)
    if not there:
        return None
    named = {held: release for release, held in swap.environments.items()}
    return {
        **state,
        "environments": {release: held for release, held in swap.environments.items() if held in there},
        **({"holder": named.get(real, "")} if swap.holder else {}),
        "environment": real,
    }


def delete(state: Properties) -> None:
    """Leave what it steers as it is."""
    del state


def _not_kept(holding: beanstalk.Found, swap: Swap) -> StateError:
    return StateError(
        f"environment {holding.name} holds the live name, and is about to be terminated",
        where=f"application {swap.application}, {swap.region}",
        consequence="that would remove live, so nothing was done",
        fix="pulumi refresh, then give the traffic to a release that stays: curtainup rollback",
    )
