"""Stand-in of Systems Manager's Run Command, for the machines of Beanstalk's stand-in.

The shell of this machine really runs the script, with a `docker` command that knows only the machine's one
container. Requests are checked against the service's model in botocore.
"""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import Any

from curtainup.rehearsal.aws import beanstalk_options as options
from curtainup.rehearsal.aws import iam, query_protocol
from curtainup.rehearsal.aws.beanstalk_deploy import container_name
from curtainup.rehearsal.aws.beanstalk_state import Beanstalk, Environment
from curtainup.rehearsal.aws.common import AwsError
from curtainup.rehearsal.home import Home

PREFIX = "AmazonSSM."
"""The prefix of the operations in a request's target."""
STATE = "ssm"
DOCUMENT = "AWS-RunShellScript"
MOST_OUTPUT, MOST_ERRORS = 24_000, 8_000
"""How many characters of output GetCommandInvocation returns."""
CALLS_BEFORE_REGISTERED = 2
_PROFILE = (options.LAUNCH, "IamInstanceProfile")
_PARAMETERS = frozenset({"commands", "executionTimeout", "workingDirectory"})


def answer(service: Beanstalk, operation: str, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Answer one call.

    Raises:
        AwsError: the call is refused.

    """
    if operation not in OPERATIONS:
        raise AwsError("UnknownOperationException", f"a rehearsal has no ssm operation {operation}")
    _require_valid(operation, asked)
    return OPERATIONS[operation](service, asked)


def send_command(service: Beanstalk, asked: Mapping[str, Any]) -> dict[str, Any]:
    """`SendCommand`: answers at once, and runs the script afterwards."""
    if asked["DocumentName"] != DOCUMENT:
        raise AwsError("InvalidDocument", "The specified document does not exist.")
    parameters = asked.get("Parameters") or {}
    if unknown := sorted(set(parameters) - _PARAMETERS):
        raise AwsError("InvalidParameters", f"Parameter {unknown[0]} is not defined in the document.")
    instances = asked.get("InstanceIds") or []
    if len(instances) != 1:
        raise AwsError("InvalidParameters", "a rehearsal runs a command on one machine")
    container = container_of(service, instances[0])
    command = str(uuid.uuid4())
    with service.cloud.home.cloud(STATE) as state:
        state.setdefault("commands", {})[command] = {
            "instance": instances[0],
            "status": "InProgress",
            "code": -1,
            "output": "",
            "errors": "",
            "process": None,
        }
    limit = int((parameters.get("executionTimeout") or ["3600"])[0])
    script = "\n".join(parameters["commands"])
    work = (service.cloud.home, command, script, container, limit)
    Thread(target=_run, args=work, name="run-command", daemon=True).start()
    return {"Command": {"CommandId": command, "Status": "Pending", "DocumentName": DOCUMENT}}


def get_command_invocation(service: Beanstalk, asked: Mapping[str, Any]) -> dict[str, Any]:
    """`GetCommandInvocation`."""
    with service.cloud.home.cloud(STATE) as state:
        found = state.get("commands", {}).get(asked["CommandId"])
    if found is None or found["instance"] != asked["InstanceId"]:
        raise AwsError("InvocationDoesNotExist", "")
    return {
        "CommandId": asked["CommandId"],
        "InstanceId": asked["InstanceId"],
        "DocumentName": DOCUMENT,
        "ResponseCode": found["code"],
        "Status": found["status"],
        "StatusDetails": found["status"],
        "StandardOutputContent": found["output"][:MOST_OUTPUT],
        "StandardErrorContent": found["errors"][:MOST_ERRORS],
    }


def cancel_command(service: Beanstalk, asked: Mapping[str, Any]) -> dict[str, Any]:
    """`CancelCommand`: kills the script; what it began in a container continues, as on the real service."""
    with service.cloud.home.cloud(STATE) as state:
        found = state.get("commands", {}).get(asked["CommandId"])
        if found is None:
            raise AwsError("InvalidCommandId", "")
        if found["status"] == "InProgress":
            found["status"] = "Cancelled"
            _kill(found["process"])
    return {}


OPERATIONS: Mapping[str, Callable[[Beanstalk, Mapping[str, Any]], dict[str, Any]]] = {
    "CancelCommand": cancel_command,
    "GetCommandInvocation": get_command_invocation,
    "SendCommand": send_command,
}


def container_of(service: Beanstalk, instance: str) -> str:
    """Return the container that a machine runs.

    Raises:
        AwsError: the machine does not exist, its profile does not allow management, or it is not known yet.

    """
    refusal = AwsError("InvalidInstanceId", f"Instances [[{instance}]] not in a valid state for account")
    record = _environment(service, instance)
    profile = options.value(options.options(record["settings"]), *_PROFILE) if record else None
    if record is None or profile is None:
        raise refusal
    if not iam.allows(service.cloud.home, profile, "ssm:UpdateInstanceInformation", "*"):
        raise refusal
    with service.cloud.home.cloud(STATE) as state:
        calls = state.setdefault("calls", {})
        calls[instance] = calls.get(instance, 0) + 1
        is_known = calls[instance] > CALLS_BEFORE_REGISTERED
    if not is_known:
        raise refusal
    return container_name(service, record, str(record["round"]))


def _environment(service: Beanstalk, instance: str) -> Environment | None:
    found = (one for one in service.environments() if f"i-{one['id'].removeprefix('e-')}" == instance)
    return next(found, None)


def _run(home: Home, command: str, script: str, container: str, limit: int) -> None:
    """Run a script as the machine's agent does, and save its result."""
    tools = _tools(home, container)
    kept = {name: value for name, value in os.environ.items() if name.startswith(("DOCKER_", "HOME"))}
    process = subprocess.Popen(
        ["sh", "-c", script],
        env={**kept, "PATH": f"{tools}:/usr/local/bin:/usr/bin:/bin"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    _note(home, command, process=process.pid)
    status = ""
    try:
        output, errors = process.communicate(timeout=limit)
    except subprocess.TimeoutExpired:
        _kill(process.pid)
        status, (output, errors) = "TimedOut", process.communicate()
    code = process.returncode
    ended = status or ("Failed" if code else "Success")
    _note(home, command, status=ended, code=code, output=output, errors=errors)


def _note(home: Home, command: str, **facts: Any) -> None:
    with home.cloud(STATE) as state:
        entry = state["commands"][command]
        cancelled = entry["status"] == "Cancelled"
        entry.update(facts, **({"status": "Cancelled"} if cancelled else {}))
        if cancelled and "process" in facts:
            _kill(facts["process"])


def _tools(home: Home, container: str) -> Path:
    """Return the folder of the machine's own commands."""
    folder = home.path / "machines" / container
    folder.mkdir(parents=True, exist_ok=True)
    command = shlex.join([sys.executable, "-P", "-m", "curtainup.rehearsal.aws.machine_docker", container])
    file = folder / "docker"
    file.write_text(f'#!/bin/sh\nexec {command} "$@"\n')
    file.chmod(0o755)
    return folder


def _kill(process: int | None) -> None:
    if process is not None:
        with suppress(ProcessLookupError):
            os.killpg(process, signal.SIGKILL)


def _require_valid(operation: str, asked: Mapping[str, Any]) -> None:
    from botocore.validate import ParamValidator

    shape = query_protocol.model("ssm").operation_model(operation).input_shape
    report = ParamValidator().validate(dict(asked), shape)
    if report.has_errors():
        raise AwsError("ValidationException", report.generate_report())
