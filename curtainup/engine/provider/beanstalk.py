"""The requests to Elastic Beanstalk, and to the releases that it runs, for a swap of names."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

EVENTS = 8
LAG, LAG_PAUSE = 15.0, 1.0
"""For how many seconds what Beanstalk tells may be of the time before, and how often it is asked again.

AWS's APIs are eventually consistent: https://docs.aws.amazon.com/ec2/latest/devguide/eventual-consistency.html.
"""

T = TypeVar("T")


@dataclass(frozen=True)
class Found:
    """An environment as Beanstalk describes it."""

    name: str
    status: str
    cname: str
    since: str


def describe(client: Any, **asked: Any) -> list[Found]:
    """Return the environments that DescribeEnvironments finds, without deleted ones."""
    answer = client.describe_environments(IncludeDeleted=False, **asked)
    return [
        Found(
            name=one["EnvironmentName"],
            status=one["Status"],
            cname=one.get("CNAME", ""),
            since=f"{one['DateUpdated']:%H:%M:%S}" if "DateUpdated" in one else "a moment ago",
        )
        for one in answer["Environments"]
    ]


def told_at_last(
    look: Callable[[], T], fits: Callable[[T], bool], wait: Callable[[float], object] = time.sleep
) -> T:
    """Return what a look tells; as long as it does not fit, it may be of the time before, and it is repeated.

    Args:
        look: asks Beanstalk.
        fits: whether an answer fits what is known.
        wait: waits so many seconds; what it returns, if true, ends the looks.

    """
    over = time.monotonic() + LAG
    while not fits(found := look()) and time.monotonic() < over and not wait(LAG_PAUSE):
        pass
    return found


def holding(client: Any, found: Sequence[Found], prefix: str) -> Found | None:
    """Return the environment with the live name; Beanstalk returns the full name for a prefix."""
    full = client.check_dns_availability(CNAMEPrefix=prefix).get("FullyQualifiedCNAME")
    return next(
        (one for one in found if one.cname == full or one.cname.partition(".")[0] == prefix),
        None,
    )


def events(client: Any, names: Sequence[str]) -> str | None:
    """Return Beanstalk's last events of the environments, oldest first, or None.

    They explain another error, so an error in asking for them is left out.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    lines = []
    for name in names:
        try:
            found = client.describe_events(EnvironmentName=name, MaxRecords=EVENTS)["Events"]
        except (BotoCoreError, ClientError, TimeoutError):
            continue
        lines += [f"{one['EventDate']:%H:%M:%S} {name}: {one['Message']}" for one in reversed(found)]
    return "\n".join(lines) or None


def release_at(cname: str, path: str) -> str | None:
    """Return the release that answers at a name, or None."""
    from curtainup.gates.http import FetchError, get_once

    try:
        return get_once(f"http://{cname}", path, 5).release
    except FetchError:
        return None
