"""Executions of stand-in Cloud Run jobs: each is a container, which stays as its log until its job goes.

The state of an execution comes from its container, and an execution whose time is over is ended when somebody
looks at it. So it does not matter which process began it.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from curtainup.errors import CurtainupError
from curtainup.platforms.haproxy.proxy import connect, docker_errors
from curtainup.rehearsal import containers
from curtainup.rehearsal.gcp.cloud_run import rules
from curtainup.rehearsal.gcp.cloud_run.routes import Routes
from curtainup.rehearsal.gcp.common import STATE, Document, now
from curtainup.rehearsal.home import Home
from curtainup.rehearsal.kind import Cloud

KILL = 9
DEPLOYER = "rehearsal@example.com"
"""Who asks the stand-in, as it is said of what he makes."""
DEFAULT_TIMEOUT = 600
"""Seconds that an execution may take if its job does not say."""
FAILED = "failed with message: The container exited with an error."
TIMED_OUT = "failed with message: The configured timeout was reached."


class Missing(Exception):
    """The job or execution does not exist."""


def place(job: str) -> tuple[str, str]:
    """Return the project of a job's full name, and the rest of it as `LOCATION/NAME`."""
    parts = job.split("/")
    return parts[1], f"{parts[3]}/{parts[5]}"


def begin(
    cloud: Cloud,
    job: str,
    arguments: Sequence[str] | None = None,
    timeout: int | None = None,
    creator: str = DEPLOYER,
) -> str:
    """Begin an execution, and return its full name.

    Args:
        cloud: the cloud that has the job.
        job: the full name of the job.
        arguments: replace the arguments of the job; None keeps them.
        timeout: how many seconds the execution may take; None takes what the job says.
        creator: the address of who asks for it.

    Raises:
        Missing: the job does not exist.

    """
    project, path = place(job)
    with cloud.home.cloud(STATE) as state:
        found = _part(state, project).get("jobs", {}).get(path)
    if found is None:
        raise Missing(job)
    name = f"{job.rpartition('/')[2]}-{secrets.token_hex(3)[:5]}"
    entry: Document = {
        "container": cloud.home.docker_name("job", name),
        "createTime": now(),
        "creator": creator,
        "image": found["template"]["containers"][0]["image"],
        "timeout": timeout or _own_timeout(found["template"]),
        "ended": "",
        "failure": "",
    }
    try:
        with connect(None) as api:
            containers.start(api, cloud.home, _container(cloud, job, name, found["template"], arguments))
    except CurtainupError as error:
        entry["failure"] = error.detail or error.what
    with cloud.home.cloud(STATE) as state:
        _part(state, project).setdefault("executions", {})[f"{job}/executions/{name}"] = entry
    return f"{job}/executions/{name}"


def look(home: Home, name: str) -> Document:
    """Return an execution as `Execution` of the v2 API.

    Raises:
        Missing: the execution does not exist.

    """
    entry = _entry(home, name)
    found: Document = {
        "name": name,
        "job": name.split("/")[5],
        "createTime": entry["createTime"],
        "creator": entry["creator"],
        "template": {"containers": [{"image": entry["image"]}], "timeout": f"{entry['timeout']}s"},
        "taskCount": 1,
        "logUri": f"https://console.cloud.google.com/logs/viewer?project={name.split('/')[1]}",
    }
    facts = _facts(entry)
    if facts is None:
        return {**found, **_completed(entry, entry["createTime"], entry["failure"] or FAILED)}
    state = facts["State"]
    begun = state["StartedAt"]
    if state["Running"] and not _is_over(begun, entry["timeout"]):
        condition = {"type": "Completed", "state": "CONDITION_RECONCILING"}
        return {**found, "startTime": _utc(begun), "runningCount": 1, "conditions": [condition]}
    if state["Running"]:
        entry = _end(home, name, TIMED_OUT)
        facts = _facts(entry) or facts
    failure = entry["ended"] or (FAILED if facts["State"]["ExitCode"] else "")
    ended = facts["State"]["FinishedAt"]
    return {**found, "startTime": _utc(begun), **_completed(entry, _utc(ended), failure)}


def names(home: Home, job: str) -> list[str]:
    """Return the full names of a job's executions, in no order.

    Raises:
        Missing: the job does not exist.

    """
    project, path = place(job)
    with home.cloud(STATE) as state:
        part = _part(state, project)
    if path not in part.get("jobs", {}):
        raise Missing(job)
    return [name for name in part.get("executions", {}) if name.startswith(f"{job}/executions/")]


def tasks(home: Home, name: str) -> list[Document]:
    """Return the one task of an execution (`Task` of the v2 API). Raises `Missing`."""
    entry = _entry(home, name)
    facts = _facts(entry)
    result: Document = {"status": {"code": 13, "message": entry["failure"]}}
    if facts is not None and not facts["State"]["Running"]:
        result = {"termSignal": KILL} if entry["ended"] else {"exitCode": facts["State"]["ExitCode"]}
    short = name.rpartition("/")[2]
    return [{"name": f"{name}/tasks/{short}-task0", "execution": short, "lastAttemptResult": result}]


def cancel(home: Home, name: str) -> None:
    """End an execution. Raises `Missing`."""
    facts = _facts(_entry(home, name))
    if facts is not None and facts["State"]["Running"]:
        _end(home, name, "was cancelled.")


def forget(home: Home, job: str) -> None:
    """Remove a job with its executions; it is no error if it is gone."""
    project, path = place(job)
    with home.cloud(STATE) as state:
        part = _part(state, project)
        part.get("jobs", {}).pop(path, None)
        known = part.get("executions", {})
        gone = [known.pop(name) for name in list(known) if name.startswith(f"{job}/executions/")]
    with connect(None) as api:
        for one in gone:
            containers.remove(api, one["container"])


def _container(
    cloud: Cloud, job: str, name: str, template: Document, arguments: Sequence[str] | None
) -> containers.Container:
    spec = template["containers"][0]
    limits = (spec.get("resources") or {}).get("limits") or {}
    own = {
        "CLOUD_RUN_JOB": job.rpartition("/")[2],
        "CLOUD_RUN_EXECUTION": name,
        "CLOUD_RUN_TASK_INDEX": "0",
        "CLOUD_RUN_TASK_ATTEMPT": "0",
        "CLOUD_RUN_TASK_COUNT": "1",
    }
    return containers.Container(
        name=cloud.home.docker_name("job", name),
        image=spec["image"],
        environment={**Routes(cloud, job).variables(template), **own},
        command=arguments if arguments is not None else spec.get("args"),
        entrypoint=spec.get("commands"),
        memory=rules.memory(limits.get("memory", "512Mi")),
    )


def _own_timeout(template: Document) -> int:
    text = template.get("timeout")
    return int(float(str(text).removesuffix("s"))) if text else DEFAULT_TIMEOUT


def _entry(home: Home, name: str) -> Document:
    with home.cloud(STATE) as state:
        found: Document | None = _part(state, name.split("/")[1]).get("executions", {}).get(name)
    if found is None:
        raise Missing(name)
    return found


def _part(state: Document, project: str) -> Document:
    found: Document = state.get("projects", {}).get(project, {})
    return found


def _facts(entry: Document) -> dict[str, Any] | None:
    try:
        with connect(None) as api, docker_errors(f"container {entry['container']}"):
            found: dict[str, Any] = api.inspect_container(entry["container"])
            return found
    except LookupError:
        return None


def _end(home: Home, name: str, why: str) -> Document:
    """Kill an execution's container, and record why."""
    with home.cloud(STATE) as state:
        entry: Document = state["projects"][name.split("/")[1]]["executions"][name]
        entry["ended"] = entry["ended"] or why
    with connect(None) as api, docker_errors(f"container {entry['container']}"):
        api.stop(entry["container"], timeout=1)
    return entry


def _completed(entry: Document, ended: str, failure: str) -> Document:
    state = "CONDITION_FAILED" if failure else "CONDITION_SUCCEEDED"
    task = f"Task {entry['container'].rpartition('-')[2]}-task0 {failure}"
    condition = {"type": "Completed", "state": state, **({"message": task} if failure else {})}
    count = {"failedCount": 1} if failure else {"succeededCount": 1}
    return {"completionTime": ended, "conditions": [condition], **count}


def _is_over(begun: str, timeout: int) -> bool:
    return (datetime.now(UTC) - _time(begun)).total_seconds() >= timeout


def _utc(text: str) -> str:
    return _time(text).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _time(text: str) -> datetime:
    """Read a time from Docker, which has nanoseconds."""
    whole, _, rest = text.removesuffix("Z").partition(".")
    return datetime.fromisoformat(f"{whole}.{rest[:6].ljust(6, '0')}+00:00")
