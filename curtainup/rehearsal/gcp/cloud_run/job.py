"""Stand-in of Cloud Run's jobs. A job runs nothing by itself: `cloud_run_executions` does."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from typing import Any

from curtainup.engine.provider.protocol import UNKNOWN, has_unknown
from curtainup.platforms.haproxy.proxy import connect
from curtainup.rehearsal import registry
from curtainup.rehearsal.gcp.cloud_run import executions, rules, told
from curtainup.rehearsal.gcp.cloud_run.changes import secret_refusals
from curtainup.rehearsal.gcp.cloud_run.service import API
from curtainup.rehearsal.gcp.common import Binding, Document, GoogleKind, conflict, is_account, now, number
from curtainup.rehearsal.kind import CloudError, Failure, Found, Made, Properties

RESERVED = frozenset(
    {
        "PORT",
        "CLOUD_RUN_JOB",
        "CLOUD_RUN_EXECUTION",
        "CLOUD_RUN_TASK_INDEX",
        "CLOUD_RUN_TASK_ATTEMPT",
        "CLOUD_RUN_TASK_COUNT",
    }
)
"""The variables that a job cannot set, because the container runtime contract reserves them."""
LEAST_MEMORY = 512 * 2**20
MOST_RETRIES = 10
_NAME = re.compile(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?")


class Job(GoogleKind):
    """A job: the template of its executions."""

    token = "gcp:cloudrunv2/job:Job"  # noqa: S105
    api = API
    location = "location"
    named_by = "name"
    replaced_by = frozenset({"name", "location", "project"})
    filled = frozenset(
        [
            "launchStage",
            "template.parallelism",
            "template.taskCount",
            "template.template.executionEnvironment",
            "template.template.serviceAccount",
            "template.template.timeout",
            "template.template.containers.resources",
            "template.template.containers.resources.limits",
            "template.template.containers.startupProbe",
        ]
    )
    sets = frozenset(["template.template.containers.envs"])
    computed = (
        "conditions",
        "createTime",
        "creator",
        "etag",
        "executionCount",
        "generation",
        "lastModifier",
        "observedGeneration",
        "reconciling",
        "terminalConditions",
        "uid",
        "updateTime",
    )

    def told(self, inputs: Properties) -> Properties:
        """Return the inputs as Cloud Run tells them, if the fault is asked for."""
        return told.job_told(inputs) if self.cloud.faults.strikes("normalise", inputs["name"]) else inputs

    def check(self, inputs: Properties) -> list[Failure]:
        """Refuse what Cloud Run does not support."""
        return [*super().check(inputs), *(Failure(path, why) for path, why in _complaints(inputs))]

    def create(self, inputs: Properties) -> Made:
        """Create the job."""
        project = self.project(inputs)
        path = f"{inputs['location']}/{inputs['name']}"
        id = f"projects/{project}/locations/{inputs['location']}/jobs/{inputs['name']}"  # noqa: A001
        with self.opened(project) as part:
            if path in part.get("jobs", {}):
                raise conflict(f"Error creating Job: Resource '{inputs['name']}' already exists.")
        return Made(id, self._put(id, inputs, {"createTime": now(), "generation": 0}))

    def update(self, id: str, outputs: Properties, inputs: Properties) -> Properties:  # noqa: A002, ARG002
        """Change the template; running executions keep theirs."""
        project, path = executions.place(id)
        with self.opened(project) as part:
            found = part.get("jobs", {}).get(path)
        if found is None:
            raise CloudError(f"Error updating Job {id!r}: googleapi: Error 404: Resource not found.")
        return self._put(id, inputs, found)

    def read(self, id: str, outputs: Properties) -> Found | None:  # noqa: A002, ARG002
        """Return the job, or None if it is gone."""
        project, path = executions.place(id)
        with self.opened(project, enabled=False) as part:
            found = part.get("jobs", {}).get(path)
        return Found({}, _outputs(id, found)) if found else None

    def delete(self, id: str, outputs: Properties) -> None:  # noqa: A002
        """Remove the job with its executions."""
        if outputs.get("deletionProtection", True):
            raise CloudError(
                "cannot destroy job without setting deletion_protection=false and running `pulumi up`"
            )
        project, _ = executions.place(id)
        with self.opened(project, enabled=False) as part:
            part.get("policies", {}).pop(id, None)
        executions.forget(self.cloud.home, id)

    def _put(self, id: str, inputs: Properties, known: Document) -> Document:  # noqa: A002
        project, path = executions.place(id)
        template = inputs["template"]["template"]
        with self.opened(project) as part:
            self._require_allowed(part, project, template)
        image = template["containers"][0]["image"]
        with connect(None) as api:
            if not registry.has_image(api, self.cloud.home, image):
                raise CloudError(f"Error creating Job: googleapi: Error 400: Image '{image}' not found.")
        with self.opened(project) as part:
            job = {
                **known,
                "template": template,
                "updateTime": now(),
                "generation": known["generation"] + 1,
            }
            part.setdefault("jobs", {})[path] = job
        return _outputs(id, job)

    def _require_allowed(self, part: Document, project: str, template: Mapping[str, Any]) -> None:
        email = template.get("serviceAccount") or f"{number(project)}-compute@developer.gserviceaccount.com"
        if not is_account(part, email):
            raise CloudError(
                "googleapi: Error 403: Permission 'iam.serviceaccounts.actAs' denied on service account "
                f"{email} (or it may not exist)., forbidden"
            )
        at = self.cloud.faults.clock.now()
        refused = secret_refusals(part, project, template["containers"][0], email, at)
        if refused:
            raise CloudError(f"Error creating Job: googleapi: Error 400: {' '.join(refused)}")


class JobIamMember(Binding):
    """A member that has a role on a job: `roles/run.invoker` lets it run the job."""

    token = "gcp:cloudrunv2/jobIamMember:JobIamMember"  # noqa: S105
    api = API
    location = "location"
    replaced_by = frozenset({"name", "location", "project", "role", "member", "condition"})

    def resource(self, inputs: Properties, project: str) -> str:
        """Return the job's name."""
        location = inputs.get("location") or self.cloud.config.get("region")
        return f"projects/{project}/locations/{location}/jobs/{inputs['name'].rpartition('/')[2]}"

    def exists(self, part: Document, resource: str) -> bool:
        """Return whether the job exists."""
        return executions.place(resource)[1] in part.get("jobs", {})


def _outputs(id: str, job: Document) -> Document:  # noqa: A002
    ready = {"type": "Ready", "state": "CONDITION_SUCCEEDED", "message": ""}
    uid, generation = hashlib.sha256(id.encode()).hexdigest()[:32], str(job["generation"])
    return {
        "project": executions.place(id)[0],
        "conditions": [ready],
        "terminalConditions": [ready],
        "createTime": job["createTime"],
        "updateTime": job["updateTime"],
        "creator": "rehearsal@example.com",
        "lastModifier": "rehearsal@example.com",
        "etag": f'"{uid}-{generation}"',
        "executionCount": 0,
        "generation": generation,
        "observedGeneration": generation,
        "reconciling": False,
        "uid": uid,
    }


def _complaints(inputs: Properties) -> Iterator[tuple[str, str]]:
    name, outer = inputs["name"], inputs["template"]
    if name != UNKNOWN and not _NAME.fullmatch(name):
        yield "name", f"job id {name!r} must be a lowercase DNS label of 63 characters at most"
    template = outer.get("template") if isinstance(outer, Mapping) else None
    if not isinstance(template, Mapping):
        return
    retries, found = template.get("maxRetries"), template.get("containers")
    if isinstance(retries, int) and not 0 <= retries <= MOST_RETRIES:
        yield "template.template.maxRetries", f"max_retries must be between 0 and {MOST_RETRIES}"
    if not found or not isinstance(found, list):
        yield "template.template.containers", "at least one container must be given"
        return
    yield from _container("template.template.containers[0]", found[0])


def _container(path: str, container: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    wanted = (container.get("resources") or {}).get("limits") or {}
    if not has_unknown(wanted):
        if rules.cpus(wanted.get("cpu", "1")) < 1:
            yield f"{path}.resources.limits.cpu", "Invalid value specified for cpu. Jobs need 1 at least."
        if rules.memory(wanted.get("memory", "512Mi")) < LEAST_MEMORY:
            why = "Invalid value specified for container memory. Jobs need 512Mi at least."
            yield f"{path}.resources.limits.memory", why
    envs = container.get("envs")
    for index, one in enumerate(envs if isinstance(envs, list) else []):
        if one["name"] in RESERVED:
            yield f"{path}.envs[{index}].name", rules.reserved(one["name"])
