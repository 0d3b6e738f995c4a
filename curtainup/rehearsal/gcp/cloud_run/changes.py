"""One change of a stand-in Cloud Run service: a revision from the template, and a new traffic split."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from curtainup.platforms.haproxy.proxy import connect
from curtainup.rehearsal import registry
from curtainup.rehearsal.gcp.cloud_run import rules, told
from curtainup.rehearsal.gcp.cloud_run.routes import Routes
from curtainup.rehearsal.gcp.common import STATE, Document, now, number
from curtainup.rehearsal.gcp.secret_manager import may_read, value_of
from curtainup.rehearsal.kind import Cloud, CloudError, Properties

NOT_READY = 9
INTERNAL = 13


class Refused(Exception):
    """The service accepted the change but could not apply it; traffic stays as it was."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(f"Error code {code}, message: {message}")
        self.message = message


class Change:
    """A change of one service; it works on the service's state."""

    def __init__(self, cloud: Cloud, name: str, service: Document, inputs: Properties) -> None:
        """Prepare to change the service of that full name to the inputs."""
        self._cloud = cloud
        self._name = name
        self._short = name.rpartition("/")[2]
        self._project = name.split("/")[1]
        self._service = service
        self._inputs = inputs
        self._routes = Routes(cloud, name)

    def make(self) -> None:
        """Make the change.

        Raises:
            CloudError: the change was refused, and nothing has changed.
            Refused: the change was accepted, and failed.

        """
        template = self._inputs["template"]
        revision, known = self._revision(template)
        if known is None and self._cloud.faults.strikes("quota", self._short):
            raise CloudError(
                "googleapi: Error 429: Quota exceeded for total allowable CPU per project per region., "
                "rateLimitExceeded"
            )
        service = self._service
        service["generation"] += 1
        service["updateTime"] = now()
        service["invokerIamDisabled"] = bool(self._inputs.get("invokerIamDisabled"))
        try:
            if known is None:
                self._create(revision, template)
            elif known["failure"]:
                raise Refused(NOT_READY, known["failure"])
            service["latestCreatedRevision"] = revision
            service["latestReadyRevision"] = revision
            self._split(fresh=known is None)
        except Refused as error:
            service["failure"] = error.message
            if not service["ports"]:
                self._routes.apply(service)
            raise
        service["failure"] = None

    def _revision(self, template: Mapping[str, Any]) -> tuple[str, Document | None]:
        """Return the name of the template's revision, and what is known of it."""
        revisions, spec = self._service["revisions"], _spec(template)
        wanted = template.get("revision")
        newest = self._service["latestCreatedRevision"]
        if wanted:
            known = revisions.get(wanted)
            if known is not None and _spec(known["template"]) != spec:
                raise CloudError(
                    f"googleapi: Error 409: Revision named '{wanted}' with different configuration already "
                    "exists"
                )
            return wanted, known
        if newest and _spec(revisions[newest]["template"]) == spec:
            return newest, revisions[newest]
        letters = "".join(secrets.choice("bcdfghjklmnpqrstvwxz") for _ in range(3))
        return f"{self._short}-{self._service['generation'] + 1:05d}-{letters}", None

    def _create(self, revision: str, template: Mapping[str, Any]) -> None:
        """Start a revision's container; a revision that fails keeps its name."""
        self._service["latestCreatedRevision"] = revision
        entry: Document = {"template": template, "failure": None}
        self._service["revisions"][revision] = entry
        with connect(None) as api:
            failure = self._forbidden(revision, template)
            image = template["containers"][0]["image"]
            if failure is None and not registry.has_image(api, self._cloud.home, image):
                failure = (
                    f"Revision '{revision}' is not ready and cannot serve traffic. Image '{image}' not found."
                )
            if failure is None:
                variables = self._routes.variables(template)
                failure = self._routes.revision(api, revision).start(template, variables)
        if failure is not None:
            entry["failure"] = failure
            raise Refused(NOT_READY, failure)

    def _forbidden(self, revision: str, template: Mapping[str, Any]) -> str | None:
        """Return why the revision may not read its secrets, or None if it may."""
        email = (
            template.get("serviceAccount") or f"{number(self._project)}-compute@developer.gserviceaccount.com"
        )
        with self._cloud.home.cloud(STATE) as state:
            part = state["projects"][self._project]
            now = self._cloud.faults.clock.now()
            refusals = secret_refusals(part, self._project, template["containers"][0], email, now)
        if not refusals:
            return None
        return f"Revision '{revision}' is not ready and cannot serve traffic. {' '.join(refusals)}"

    def _split(self, *, fresh: bool) -> None:
        """Split traffic as the inputs say."""
        service = self._service
        wanted = []
        for one in rules.traffics(self._inputs):
            revision = one.get("revision") or service["latestReadyRevision"]
            known = service["revisions"].get(revision)
            if known is None:
                raise Refused(
                    INTERNAL,
                    f"Revision '{revision}' does not exist or is deleted. Update all traffic to route to "
                    "currently available revisions.",
                )
            if known["failure"]:
                raise Refused(NOT_READY, known["failure"])
            share = {"percent": one.get("percent") or 0, "tag": one.get("tag") or ""}
            wanted.append({"type": one["type"], "revision": revision, **share})
        moves = fresh or wanted != service["traffic"]
        if moves and self._cloud.faults.strikes_first("partial", self._short):
            raise Refused(INTERNAL, "An internal error has occurred while the traffic was being updated.")
        service["traffic"] = wanted
        self._routes.apply(service)


def secret_refusals(
    part: Document, project: str, container: Mapping[str, Any], email: str, now: float
) -> list[str]:
    """Return why a container may not read its secrets now, one text for each; empty if it may.

    Args:
        part: the project's part of the state.
        project: the project's id.
        container: the container, with its variables.
        email: the address of the service account that it runs as.
        now: in seconds since 1970.

    """
    refusals = []
    for index, one in enumerate(container.get("envs") or []):
        reference = (one.get("valueSource") or {}).get("secretKeyRef")
        if not reference:
            continue
        secret, version = reference["secret"], reference.get("version") or "latest"
        full = f"projects/{project}/secrets/{secret.rpartition('/')[2]}/versions/{version}"
        if not may_read(part, project, secret, email, now):
            refusals.append(_denied(index, full, email))
        elif value_of(part, secret, version) is None:
            refusals.append(f"Secret {full} was not found")
    return refusals


def _spec(template: Mapping[str, Any]) -> dict[str, Any]:
    return {name: part for name, part in told.template_told(template).items() if name != "revision"}


def _denied(index: int, version: str, email: str) -> str:
    return (
        f"spec.template.spec.containers[0].env[{index}].value_from.secret_key_ref.name: Permission denied on "
        f"secret: {version} for Revision service account {email}. The service account used must be granted "
        "the 'Secret Manager Secret Accessor' role (roles/secretmanager.secretAccessor) at the secret, "
        "project or higher level."
    )
