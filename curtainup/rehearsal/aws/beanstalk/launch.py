"""How Beanstalk's stand-in launches, updates and terminates environments, with the real one's events.

Time runs faster than on the real service: an environment is ready as soon as its container answers.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from curtainup.rehearsal.aws import iam
from curtainup.rehearsal.aws.beanstalk import options
from curtainup.rehearsal.aws.beanstalk.deploy import DeploymentFailed, container_name, deploy
from curtainup.rehearsal.aws.beanstalk.machines import machines
from curtainup.rehearsal.aws.beanstalk.state import SOLUTION_STACKS, Beanstalk, Environment, now
from curtainup.rehearsal.aws.common import KEY_PAIRS, AwsError

MOST_ENVIRONMENTS = 200
STUCK = 20.0
"""Seconds after which Beanstalk itself gives up a stuck environment; the real service takes longer."""


def validate(service: Beanstalk, wanted: Mapping[str, Any]) -> None:
    """Raise `AwsError` for what the real service refuses before it creates anything.

    Args:
        service: Beanstalk in the region.
        wanted: the `application`, `version`, `stack` and `settings` of an environment.

    """
    service.require_application(wanted["application"])
    if wanted.get("version"):
        service.require_version(wanted["application"], wanted["version"])
    if wanted["stack"] not in SOLUTION_STACKS:
        raise AwsError("InvalidParameterValue", f"No Solution Stack named '{wanted['stack']}' found.")
    problem = options.problem(options.options(wanted["settings"]), account(service))
    if problem:
        raise AwsError("ConfigurationValidationException", f"Configuration validation exception: {problem}")


def account(service: Beanstalk) -> options.Account:
    """Return the parts of the account that option settings may refer to."""
    home = service.cloud.home
    return options.Account(
        service.region,
        KEY_PAIRS,
        lambda name: iam.has_instance_profile(home, name),
        lambda name: iam.has_role(home, name),
    )


def accept(service: Beanstalk, wanted: Mapping[str, Any]) -> Environment:
    """Begin to create an environment; raises `AwsError`."""
    service.require_names(wanted["name"], wanted["prefix"])
    validate(service, wanted)
    if service.cloud.faults.strikes("quota", wanted["name"]):
        raise AwsError(
            "TooManyEnvironmentsException",
            f"You cannot have more than {MOST_ENVIRONMENTS} Environments. Either remove some Environments or "
            "request a limit increase.",
        )
    started = now()
    id = f"e-{uuid.uuid4().hex[:10]}"  # noqa: A001
    record: Environment = {
        **wanted,
        "id": id,
        "prefix": wanted["prefix"] or f"{wanted['name']}.{uuid.uuid4().hex[:8]}",
        "status": "Launching",
        "health": "Grey",
        "health_status": "Pending",
        "causes": [],
        "cname": "",
        "endpoint": "",
        "created": started,
        "updated": started,
        "round": 0,
        "by": os.getpid(),
        "front": service.cloud.home.docker_name("eb", id, "name"),
    }
    with service.state() as state:
        state["environments"][id] = record
    service.say(record, "createEnvironment is starting.")
    return record


def launch(service: Beanstalk, record: Environment) -> None:
    """Launch an accepted environment; it is Ready afterwards, and healthy unless events say otherwise."""
    with machines(service.cloud.home) as docker:
        try:
            deploy(service, docker, record)
        except DeploymentFailed as error:
            _say_failed(service, record, str(error))
            service.say(
                record,
                "Create environment operation is complete, but with errors. For more information, see "
                "troubleshooting documentation.",
                "ERROR",
            )
        else:
            service.say(record, f"Successfully launched environment: {record['name']}")
    if service.cloud.faults.strikes("partial", record["name"]):
        service.change(record["id"], status="Updating", stuck_until=now() + STUCK)
    else:
        service.change(record["id"], status="Ready")


def update(service: Beanstalk, record: Environment, changes: Mapping[str, Any]) -> None:
    """Change an environment; raises `AwsError`. If the new version does not run, the old one stays."""
    require_ready(record)
    validate(service, {**record, **changes})
    service.say(record, "Environment update is starting.")
    if set(changes) <= {"description", "tags"}:
        service.change(record["id"], **changes)
        return
    changed = service.change(record["id"], status="Updating", by=os.getpid(), **changes)
    with machines(service.cloud.home) as docker:
        try:
            deploy(service, docker, changed)
        except DeploymentFailed as error:
            _say_failed(service, record, str(error))
            service.say(record, "Failed to deploy application.", "ERROR")
            service.change(record["id"], **{name: record[name] for name in changes})
        else:
            service.say(record, "Environment update completed successfully.")
    service.change(record["id"], status="Ready")


def terminate(service: Beanstalk, record: Environment) -> Environment:
    """Begin to terminate an environment, and return it; raises `AwsError`."""
    if record["status"] == "Launching":
        raise AwsError(
            "InvalidParameterValue",
            f"Cannot terminate environment named {record['name']}. It is currently pending creation.",
        )
    service.say(record, "terminateEnvironment is starting.")
    return service.change(record["id"], status="Terminating", health="Grey", by=os.getpid())


def take_down(service: Beanstalk, record: Environment) -> None:
    """Remove the containers of a terminating environment."""
    with machines(service.cloud.home) as docker:
        docker.remove([container_name(service, record, "lb"), record["front"]])
        docker.remove(container_name(service, record, str(number)) for number in range(record["round"] + 1))
    service.say(record, "terminateEnvironment completed successfully.")
    service.change(record["id"], status="Terminated", endpoint="", cname="")


def settled(service: Beanstalk, record: Environment) -> Environment:
    """Return an environment, after ending an operation that would never end by itself.

    Beanstalk gives up an environment that was stuck for long enough. If a process is gone, this finishes the
    termination that it had begun, and gives up any other operation.
    """
    if record["status"] in ("Ready", "Terminated") or record.get("swapping"):
        return record
    is_over = record["stuck_until"] < now() if record.get("stuck_until") else not _is_alive(record["by"])
    if not is_over:
        return record
    if record["status"] == "Terminating":
        take_down(service, record)
        return service.change(record["id"])
    service.say(record, "The operation timed out. The state of the environment is unknown.", "ERROR")
    return service.change(record["id"], status="Ready", stuck_until=None)


def require_ready(record: Environment) -> None:
    """Raise `AwsError` unless an environment takes changes."""
    if record["status"] != "Ready":
        raise AwsError(
            "InvalidParameterValue",
            f"Environment named {record['name']} is in an invalid state for this operation. Must be Ready.",
        )


def _say_failed(service: Beanstalk, record: Environment, why: str) -> None:
    service.say(record, f"Instance deployment failed. For details, see 'eb-engine.log'. {why}", "ERROR")
    instance = f"i-{record['id'].removeprefix('e-')}"
    service.say(
        record,
        f"[Instance: {instance}] Command failed on instance. Return code: 1 Output: Engine execution has "
        "encountered an error..",
        "ERROR",
    )
    service.say(record, "Command execution completed on all instances. Summary: [Successful: 0, Failed: 1].")


def _is_alive(process: int) -> bool:
    return Path(f"/proc/{process}").exists()
