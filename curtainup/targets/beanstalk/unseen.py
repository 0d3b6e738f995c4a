"""A Beanstalk environment that was made although the answer got lost, so that Pulumi does not know it.

AWS's SDK asks again of its own accord, and hears that the environment exists: "Environment NAME already
exists." (hashicorp/terraform#22433). It would stay, and be billed, and no release could have its name.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from threading import Event
from time import monotonic
from typing import Any

from curtainup.errors import Interrupted
from curtainup.platforms import amazon

EXISTS = re.compile(
    r"creating Elastic Beanstalk Environment \(([^)]+)\): .*Environment \S+ already exists", re.DOTALL
)
PAUSE = 2.0
GONE = frozenset({"Terminated", ""})


def made(text: str) -> list[str]:
    """Return the environments that an update could not make because they are there."""
    return list(dict.fromkeys(EXISTS.findall(text)))


def reclaim(
    client: Any, name: str, application: str, started: datetime, say: Callable[[str], None], stop: Stop
) -> bool:
    """Terminate an environment if this very update has made it, once Beanstalk allows that.

    Args:
        client: boto3's, of Elastic Beanstalk.
        name: the environment's.
        application: it must belong to.
        started: when the update began; the environment must be younger.
        say: told what is waited for.
        stop: ends the wait.

    Returns:
        Whether it is gone.

    Raises:
        SetupError: AWS is not reached, or refuses to answer.
        Interrupted: the run was cancelled.

    """
    with amazon.said_clearly("elasticbeanstalk"):
        found = _look(client, name)
        if found.get("ApplicationName") != application or found["DateCreated"] < started:
            return False
        say(f"the answer got lost when {name} was made: terminating it, to make it again")
        status = _wait(client, name, {"Ready", *GONE}, say, stop)
        if status == "Ready":
            client.terminate_environment(EnvironmentName=name)
            status = _wait(client, name, GONE, say, stop)
    return status in GONE


class Stop:
    """What ends a wait: a time limit, or the end of the run."""

    def __init__(self, seconds: float, cancelled: Event) -> None:
        self._deadline = monotonic() + seconds
        self._cancelled = cancelled

    def is_due(self) -> bool:
        """Wait a moment; return whether the time is over.

        Raises:
            Interrupted: the run was cancelled.

        """
        if self._cancelled.wait(PAUSE):
            raise Interrupted("interrupted while an environment was terminated")
        return monotonic() > self._deadline


def within(seconds: float, cancelled: Event) -> Stop:
    """Return what ends a wait after so many seconds, or when the run is cancelled."""
    return Stop(seconds, cancelled)


def _wait(
    client: Any, name: str, wanted: set[str] | frozenset[str], say: Callable[[str], None], stop: Stop
) -> str:
    while (status := str(_look(client, name).get("Status", ""))) not in wanted and not stop.is_due():
        say(f"waiting: {name} is {status}")
    return status


def _look(client: Any, name: str) -> dict[str, Any]:
    """Return how Beanstalk describes an environment; empty if there is none."""
    answer = client.describe_environments(EnvironmentNames=[name], IncludeDeleted=False)["Environments"]
    return dict(answer[0]) if answer else {}
