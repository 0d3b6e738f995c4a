"""The output of stand-in Cloud Run jobs' executions, as entries of Cloud Logging."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from curtainup.platforms.haproxy.proxy import docker_errors
from curtainup.rehearsal import written
from curtainup.rehearsal.gcp.common import Document

if TYPE_CHECKING:
    from docker import APIClient


def entries(api: APIClient, part: Document, project: str) -> Iterator[dict[str, Any]]:
    """Yield the entries of all executions of a project: their output, and an entry when one has ended.

    Args:
        api: the Docker engine.
        part: the project's part of the state.
        project: the project's id.

    """
    for name, execution in part.get("executions", {}).items():
        common = _common(name, project)
        for one in written.lines(api, execution["container"]):
            stream = f"projects/{project}/logs/run.googleapis.com%2F{one.stream}"
            at = {"timestamp": one.at, "receiveTimestamp": one.at, "logName": stream}
            yield {**common, **at, "textPayload": one.text, "insertId": f"{one.stream}{one.number:09}"}
        ended = _ended(api, execution["container"])
        if ended:
            at = {"timestamp": ended[0], "receiveTimestamp": ended[0], "insertId": "system"}
            system = f"projects/{project}/logs/run.googleapis.com%2Fvarlog%2Fsystem"
            yield {**common, **at, "logName": system, "textPayload": f"Container called exit({ended[1]})."}


def _common(name: str, project: str) -> dict[str, Any]:
    parts = name.split("/")
    labels = {"project_id": project, "location": parts[3], "job_name": parts[5]}
    own = {"run.googleapis.com/execution_name": parts[7], "run.googleapis.com/task_index": "0"}
    return {"resource": {"type": "cloud_run_job", "labels": labels}, "labels": own, "severity": "DEFAULT"}


def _ended(api: APIClient, container: str) -> tuple[str, int] | None:
    """Return when a container ended, and its exit code."""
    try:
        with docker_errors(f"container {container}"):
            state = api.inspect_container(container)["State"]
    except LookupError:
        return None
    return None if state["Running"] else (str(state["FinishedAt"]), int(state["ExitCode"]))
