"""A task on Elastic Beanstalk: run in the container of a release, on one of its machines.

Systems Manager's Run Command has the machine run a small script (SendCommand with the document
AWS-RunShellScript). Beanstalk's Docker platform runs one container on a machine, which has the release's
variables with its secrets fetched: `docker exec` runs the command beside the release. When a task fails or
is interrupted its release is removed, and the machine with whatever still runs on it.
"""

from __future__ import annotations

import shlex
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from curtainup.config.tasks import Task
from curtainup.errors import SetupError
from curtainup.platforms import amazon
from curtainup.targets.task_result import Ran
from curtainup.util.process import Ended

DOCUMENT = "AWS-RunShellScript"
TIMED_OUT = 124
"""Exit code of `timeout` when it has stopped its command."""
MOST_OUTPUT = 24_000
"""Characters of a command's output that GetCommandInvocation gives."""
REGISTERING = 300.0
"""Seconds that a new machine may take to be known to Systems Manager."""
STARTING = 120
"""Seconds that the machine may take, beyond the task's own time, to begin and to tell the end."""
LOOK = 1.0
OVER = frozenset({"Success", "Failed", "TimedOut", "Cancelled"})
_SCRIPT = """\
containers=$(docker ps --quiet)
if [ "$(echo "$containers" | wc -w)" -ne 1 ]; then
    echo "the machine runs not one container, but: $containers"
    exit 125
fi
exec 2>&1
exec timeout --kill-after=10 {seconds} docker exec "$containers" {command}
"""


@dataclass(frozen=True)
class Machine:
    """One machine of a release's environment.

    Attributes:
        ssm: a boto3 client of Systems Manager.
        id: of the instance.
        registering: seconds that it may take until Systems Manager knows it.

    """

    ssm: Any
    id: str
    registering: float = REGISTERING


def script(task: Task) -> str:
    """Return what the machine's shell is given: the task's words reach the container as they are."""
    return _SCRIPT.format(seconds=task.timeout, command=shlex.join(task.command))


def machine(region: str, profile: str | None, environment: str) -> Machine:
    """Return a machine of a Beanstalk environment.

    Raises:
        SetupError: it has none, or AWS refuses.

    """
    with amazon.said_clearly("elasticbeanstalk"):
        client = amazon.client("elasticbeanstalk", region, profile)
        found = client.describe_environment_resources(EnvironmentName=environment)
    instances = found["EnvironmentResources"].get("Instances") or []
    if not instances:
        raise _not_run(f"environment {environment} has no machine", environment, "")
    return Machine(amazon.client("ssm", region, profile), str(instances[0]["Id"]))


def run(one: Machine, task: Task, cancel: threading.Event, on_line: Callable[[str], None]) -> Ran:
    """Run a task to its end, which the machine itself bounds.

    Args:
        one: where.
        task: what to run, and for how long at most.
        cancel: has it cancelled when set.
        on_line: takes each line of its output, once it has ended.

    Raises:
        SetupError: Systems Manager does not know the machine, or refuses.

    """
    place = f"machine {one.id}"
    with amazon.said_clearly("ssm"):
        command = _sent(one, task, cancel)
        if command is None:
            return Ran(None, Ended.STOPPED, place)
        found = _waited(one, command, task, cancel)
    if found is None:
        return Ran(None, Ended.STOPPED if cancel.is_set() else Ended.TIMED_OUT, place)
    output = str(found.get("StandardOutputContent") or "")
    for line in output.splitlines():
        on_line(line)
    if len(output) >= MOST_OUTPUT:
        on_line(f"(Systems Manager gives the first {MOST_OUTPUT} characters only)")
    return _result(found, place)


def _sent(one: Machine, task: Task, cancel: threading.Event) -> str | None:
    """Send the command, and return its id; None when that was cancelled before the machine was known."""
    deadline = time.monotonic() + one.registering
    while True:
        try:
            answer = one.ssm.send_command(
                InstanceIds=[one.id],
                DocumentName=DOCUMENT,
                Comment=f"curtainup task {task.name}",
                TimeoutSeconds=STARTING,
                Parameters={
                    "commands": [script(task)],
                    "executionTimeout": [str(task.timeout + STARTING)],
                },
            )
            return str(answer["Command"]["CommandId"])
        except one.ssm.exceptions.InvalidInstanceId as error:
            if time.monotonic() > deadline:
                raise _not_run(
                    f"Systems Manager does not know the machine within {one.registering:g} s",
                    f"machine {one.id}",
                    str(error),
                ) from error
            if cancel.wait(LOOK):
                return None


def _waited(one: Machine, command: str, task: Task, cancel: threading.Event) -> dict[str, Any] | None:
    """Wait for the end of a command; None when it was cancelled, or its end was never told."""
    deadline = time.monotonic() + task.timeout + 2 * STARTING
    while time.monotonic() < deadline:
        if cancel.wait(LOOK):
            break
        try:
            found = one.ssm.get_command_invocation(CommandId=command, InstanceId=one.id)
        except one.ssm.exceptions.InvocationDoesNotExist:
            continue  # it was sent a moment ago
        if found["Status"] in OVER:
            return dict(found)
    one.ssm.cancel_command(CommandId=command, InstanceIds=[one.id])
    return None


def _result(found: dict[str, Any], place: str) -> Ran:
    code, status = int(found["ResponseCode"]), found["Status"]
    if code == TIMED_OUT or status == "TimedOut":
        return Ran(None, Ended.TIMED_OUT, place)
    if status == "Success":
        return Ran(0, Ended.BY_ITSELF, place)
    known = code if code > 0 else None
    return Ran(known, Ended.BY_ITSELF, place, "" if known else str(found.get("StatusDetails") or status))


def _not_run(what: str, where: str, detail: str) -> SetupError:
    return SetupError(
        f"a task could not be run: {what}",
        where=where,
        consequence="the release gets no traffic, and the environment is put back",
        fix="docs/tasks.md says what a machine needs; then deploy again",
        detail=detail or None,
    )
