"""Stand-in of Cloud Run's services and of the members that may call them.

A revision is a container. The URLs of a service and of its tags are the doors of its front. Only revisions
with traffic or a tag have a running container, because a service scales to zero.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from curtainup.rehearsal.gcp.cloud_run import rules, told
from curtainup.rehearsal.gcp.cloud_run.changes import Change, Refused
from curtainup.rehearsal.gcp.cloud_run.routes import Routes
from curtainup.rehearsal.gcp.common import Binding, Document, GoogleKind, is_account, now
from curtainup.rehearsal.kind import CloudError, Failure, Found, Made, Properties, Unready

API = "run.googleapis.com"
_TRAFFIC = ("type", "revision", "percent", "tag")
LAG_SECONDS = 3.0
"""For how long reads lag behind writes, if they do.

Until a service is reconciled, "trafficStatuses, and uri will have transient values that might mismatch the
intended state". Source: the description of `reconciling` in the v2 API's message `Service`.
"""


class Service(GoogleKind):
    """A service: the template of its newest revision, and how traffic is split over its revisions."""

    token = "gcp:cloudrunv2/service:Service"  # noqa: S105
    api = API
    location = "location"
    named_by = "name"
    replaced_by = frozenset({"name", "location", "project"})
    computed = (
        "conditions",
        "createTime",
        "etag",
        "generation",
        "latestCreatedRevision",
        "latestReadyRevision",
        "observedGeneration",
        "reconciling",
        "terminalConditions",
        "trafficStatuses",
        "uid",
        "updateTime",
        "uri",
        "urls",
    )
    filled = told.FILLED
    sets = told.SETS

    def told(self, inputs: Properties) -> Properties:
        """Return the inputs as Cloud Run tells them, if the fault is asked for."""
        return told.told(inputs) if self.cloud.faults.strikes("normalise", inputs["name"]) else inputs

    def check(self, inputs: Properties) -> list[Failure]:
        """Refuse what Cloud Run does not support."""
        return [*super().check(inputs), *rules.complaints(inputs)]

    def create(self, inputs: Properties) -> Made:
        """Create the service with its first revision."""
        project = self.project(inputs)
        path = f"{inputs['location']}/{inputs['name']}"
        name = f"projects/{project}/locations/{inputs['location']}/services/{inputs['name']}"
        with self.opened(project) as part:
            if path in part.get("services", {}):
                raise _exists(inputs["name"])
        outputs = self._change(name, inputs, "create")
        if self.cloud.faults.strikes_first("lost-answer", inputs["name"]):
            raise _exists(inputs["name"])  # what the provider hears as it asks again, of its own accord
        return Made(name, outputs)

    def update(self, id: str, outputs: Properties, inputs: Properties) -> Properties:  # noqa: A002, ARG002
        """Create a revision if the template has changed, and split traffic again."""
        project, path = _place(id)
        with self.opened(project) as part:
            if path not in part.get("services", {}):
                raise CloudError(f"Error updating Service {id!r}: googleapi: Error 404: Resource not found.")
        if self.cloud.faults.strikes_first("lost-answer", inputs["name"]):
            self._change(id, inputs, "update")  # the provider asks again, of its own accord
        return self._change(id, inputs, "update")

    def read(self, id: str, outputs: Properties) -> Found | None:  # noqa: A002
        """Return the real traffic split, and whether callers are asked who they are."""
        project, path = _place(id)
        with self.opened(project, enabled=False) as part:
            service = part.get("services", {}).get(path)
        if service is None:
            return None
        live = [{key: one[key] for key in _TRAFFIC if one.get(key)} for one in service["traffic"]]
        wanted = [{key: one[key] for key in _TRAFFIC if one.get(key)} for one in rules.traffics(outputs)]
        drifted: Document = {"traffics": service["traffic"]} if live != wanted and service["traffic"] else {}
        unchecked = bool(service.get("invokerIamDisabled"))
        if unchecked != bool(outputs.get("invokerIamDisabled")):
            drifted["invokerIamDisabled"] = unchecked
        return Found(drifted, self._outputs(id, service))

    def delete(self, id: str, outputs: Properties) -> None:  # noqa: A002
        """Remove the service with all its revisions."""
        if outputs.get("deletionProtection", True):
            raise CloudError(
                "cannot destroy service without setting deletion_protection=false and running `pulumi up`"
            )
        project, path = _place(id)
        with self.opened(project, enabled=False) as part:
            service = part.get("services", {}).pop(path, None)
            part.get("policies", {}).pop(id, None)
        if service is not None:
            Routes(self.cloud, id).remove(service)

    def _change(self, name: str, inputs: Properties, verb: str) -> Document:
        project, path = _place(name)
        self.throttled(inputs["name"])
        with self.opened(project) as part:
            service = part.get("services", {}).get(path) or _new(name)
            self._require_identity(part, inputs["template"])
            before = list(service["traffic"])
        service["labels"] = dict(inputs.get("labels") or {})
        change = Change(self.cloud, name, service, inputs)
        refusal: Refused | None = None
        try:
            change.make()
        except Refused as error:
            refusal = error
        except CloudError as error:
            raise CloudError(f"Error {verb[:-1]}ing Service: {error}") from error
        if self.cloud.faults.strikes("eventual", inputs["name"]):
            service["lag"] = {"until": self.cloud.faults.clock.now() + LAG_SECONDS, "traffic": before}
        with self.opened(project) as part:
            part.setdefault("services", {})[path] = service
        outputs = self._outputs(name, service)
        if refusal is not None:
            said = f"Error waiting for {verb[:-1].title()}ing Service: {refusal}"
            raise Unready(name, outputs, [f"Error waiting to {verb} Service: {said}"])
        return outputs

    def _require_identity(self, part: Document, template: Mapping[str, Any]) -> None:
        email = template.get("serviceAccount")
        if email and not is_account(part, email):
            raise CloudError(
                "googleapi: Error 403: Permission 'iam.serviceaccounts.actAs' denied on service account "
                f"{email} (or it may not exist)., forbidden"
            )

    def _outputs(self, name: str, service: Document) -> Document:
        urls = Routes(self.cloud, name).urls(service)
        failure = service["failure"]
        ready = {
            "type": "Ready",
            "state": "CONDITION_FAILED" if failure else "CONDITION_SUCCEEDED",
            "message": failure or "",
        }
        lag = service.get("lag") or {"until": 0}
        traffic = lag["traffic"] if lag["until"] > self.cloud.faults.clock.now() else service["traffic"]
        statuses = [{**one, "uri": urls.get(one.get("tag") or "", "")} for one in traffic]
        uri = urls[""] if traffic else ""
        generation = str(service["generation"])
        revisions = {
            key: f"{name}/revisions/{service[key]}" if service[key] else ""
            for key in ("latestCreatedRevision", "latestReadyRevision")
        }
        return {
            **revisions,
            "project": _place(name)[0],
            "conditions": [ready],
            "terminalConditions": [ready],
            "createTime": service["createTime"],
            "updateTime": service["updateTime"],
            "etag": f'"{service["uid"]}-{generation}"',
            "generation": generation,
            "observedGeneration": generation,
            "reconciling": False,
            "trafficStatuses": statuses,
            "uid": service["uid"],
            "uri": uri,
            "urls": [uri] if uri else [],
        }


class ServiceIamMember(Binding):
    """A member that may call a service: `allUsers` with `roles/run.invoker` means everybody."""

    token = "gcp:cloudrunv2/serviceIamMember:ServiceIamMember"  # noqa: S105
    api = API
    location = "location"
    replaced_by = frozenset({"name", "location", "project", "role", "member", "condition"})

    def resource(self, inputs: Properties, project: str) -> str:
        """Return the service's name."""
        location = inputs.get("location") or self.cloud.config.get("region")
        name = inputs["name"].rpartition("/")[2]
        return f"projects/{project}/locations/{location}/services/{name}"

    def exists(self, part: Document, resource: str) -> bool:
        """Return whether the service exists."""
        return _place(resource)[1] in part.get("services", {})

    def changed(self, resource: str) -> None:
        """Open the service's doors to everybody, or close them."""
        project, path = _place(resource)
        with self.opened(project, enabled=False) as part:
            service = part.get("services", {}).get(path)
        if service is not None:
            Routes(self.cloud, resource).admit(service)


def _exists(name: str) -> CloudError:
    return CloudError(f"Error creating Service: googleapi: Error 409: Resource '{name}' already exists.")


def _new(name: str) -> Document:
    return {
        "uid": hashlib.sha256(name.encode()).hexdigest()[:32],
        "createTime": now(),
        "updateTime": now(),
        "generation": 0,
        "revisions": {},
        "latestCreatedRevision": None,
        "latestReadyRevision": None,
        "traffic": [],
        "doors": {},
        "ports": [],
        "failure": None,
    }


def _place(name: str) -> tuple[str, str]:
    """Return the project of a service's full name, and the rest of it as `LOCATION/NAME`."""
    parts = name.split("/")
    return parts[1], f"{parts[3]}/{parts[5]}"
