"""The swap of two environments' names on Beanstalk's stand-in, without a dropped request."""

from __future__ import annotations

import os
from pathlib import Path
from threading import Event, Thread

from curtainup.platforms.haproxy.config import Server
from curtainup.rehearsal.aws.beanstalk.launch import require_ready
from curtainup.rehearsal.aws.beanstalk.machines import machines
from curtainup.rehearsal.aws.beanstalk.state import Beanstalk, Environment, now
from curtainup.rehearsal.aws.common import AwsError

_TAKES = 0.3
"""The least seconds that both environments are Updating; about five on the real service."""
_SLOW_MINUTES = 15.0
"""The same of a swap that is slow, in minutes of the cloud."""


def begin(service: Beanstalk, source: Environment, destination: Environment) -> Thread:
    """Begin to swap the names of two environments; both are Ready again when the thread ends.

    Raises:
        AwsError: one of them is not Ready, they are the same, or a fault strikes.

    """
    both = (source, destination)
    if source["id"] == destination["id"]:
        raise AwsError("InvalidParameterValue", "Source and destination environments must be different.")
    for one in both:
        require_ready(one)
    if any(service.cloud.faults.strikes("swap-fails", one["name"]) for one in both):
        raise AwsError(
            "InvalidParameterValue",
            f"Unable to swap CNAMEs for environments '{source['name']}' and '{destination['name']}'.",
        )
    names = f"'{source['name']}' and '{destination['name']}'"
    faults = service.cloud.faults
    slow = any(faults.strikes("slow-swap", one["name"]) for one in both)
    ends = now() + (faults.clock.seconds(_SLOW_MINUTES) if slow else _TAKES)
    for one, other in (both, both[::-1]):
        swapping = {"with": other["id"], "by": os.getpid(), "ends": ends}
        service.change(one["id"], status="Updating", swapping=swapping)
        service.say(one, "swapEnvironmentCNAMEs is starting.")
        service.say(one, f"Swapping CNAMEs for environments {names}.")
    work = Thread(target=_finish, args=(service, source["id"], destination["id"], ends), name="swap")
    work.start()
    return work


def resumed(service: Beanstalk, record: Environment) -> Environment:
    """Return an environment, after finishing a swap that a process had left half done, once its time is over.

    Beanstalk itself swaps, whoever has asked for it.
    """
    swapping = record.get("swapping")
    if not swapping or swapping["ends"] > now() or Path(f"/proc/{swapping['by']}").exists():
        return record
    _finish(service, record["id"], swapping["with"], swapping["ends"])
    with service.state() as state:
        found: Environment = state["environments"][record["id"]]
    return found


def _finish(service: Beanstalk, source: str, destination: str, ends: float) -> None:
    """Finish a swap of two environments, by their ids; of all that try, only the first does."""
    Event().wait(max(_TAKES, ends - now()))
    with service.state() as state:
        both = [state["environments"][one] for one in (source, destination)]
        if not all(one.get("swapping") for one in both):
            return
        for one in both:
            one |= {"swapping": None, "by": os.getpid()}
        both = [dict(one) for one in both]
    with machines(service.cloud.home) as docker:
        for one, other in (both, both[::-1]):
            docker.balancer(other["front"], Server(one["id"], one["inner"], 100))
    names = " and ".join(f"'{one['name']}'" for one in both)
    with service.state() as state:
        for one, other in (both, both[::-1]):
            taken = {name: other[name] for name in ("prefix", "cname", "front")}
            service.overwrite(state["environments"][one["id"]], {**taken, "status": "Ready"})
    for one in both:
        service.say(one, f"Completed swapping CNAMEs for environments {names}.")
