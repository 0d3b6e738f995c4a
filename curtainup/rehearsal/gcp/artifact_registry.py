"""Stand-in of Artifact Registry: repositories in the registry that runs on this machine."""

from __future__ import annotations

import re
from typing import Any

from curtainup.engine.provider.protocol import UNKNOWN
from curtainup.rehearsal import registry
from curtainup.rehearsal.gcp.common import GoogleKind, conflict, now
from curtainup.rehearsal.kind import Failure, Found, Made, Properties

_ID = re.compile(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?")
_FORMATS = {"DOCKER", "MAVEN", "NPM", "PYTHON", "APT", "YUM", "GO", "KFP", "GENERIC"}
_DURATION = re.compile(r"\d+(\.\d+)?s|\d+[dhm]")


class Repository(GoogleKind):
    """A repository; its `registryUri` is an address that this machine can push to."""

    token = "gcp:artifactregistry/repository:Repository"  # noqa: S105
    api = "artifactregistry.googleapis.com"
    location = "location"
    replaced_by = frozenset({"repositoryId", "location", "project", "format", "mode"})
    computed = ("createTime", "name", "registryUri", "updateTime")
    changing = ("updateTime",)

    def check(self, inputs: Properties) -> list[Failure]:
        """Refuse what Artifact Registry does not support."""
        found = super().check(inputs)
        name, kind = inputs["repositoryId"], inputs["format"]
        if name != UNKNOWN and not _ID.fullmatch(name):
            found.append(Failure("repositoryId", f"Invalid repository id {name!r}"))
        if kind not in _FORMATS | {UNKNOWN}:
            found.append(Failure("format", f"expected format to be one of {sorted(_FORMATS)}, got {kind}"))
        for index, policy in enumerate(inputs.get("cleanupPolicies") or []):
            found += [Failure(f"cleanupPolicies[{index}]{path}", why) for path, why in _wrong(policy)]
        return found

    def create(self, inputs: Properties) -> Made:
        """Create the resource."""
        project, name = self.project(inputs), inputs["repositoryId"]
        path = f"{inputs['location']}/{name}"
        with self.opened(project) as part:
            repositories = part.setdefault("repositories", {})
            if path in repositories:
                raise conflict("the repository already exists")
            repositories[path] = {}
        outputs = {
            "createTime": now(),
            "updateTime": now(),
            "name": name,
            "project": project,
            "registryUri": f"{registry.address(self.cloud.home)}/{project}/{name}",
        }
        return Made(f"projects/{project}/locations/{inputs['location']}/repositories/{name}", outputs)

    def update(self, id: str, outputs: Properties, inputs: Properties) -> Properties:  # noqa: A002, ARG002
        """Change the labels and clean-up policies."""
        return {**{name: outputs[name] for name in (*self.computed, "project")}, "updateTime": now()}

    def read(self, id: str, outputs: Properties) -> Found | None:  # noqa: A002, ARG002
        """Return the resource, or None if it is gone."""
        with self.opened(outputs["project"]) as part:
            there = f"{outputs['location']}/{outputs['repositoryId']}" in part.get("repositories", {})
        return Found() if there else None

    def delete(self, id: str, outputs: Properties) -> None:  # noqa: A002, ARG002
        """Remove the repository; its images stay in the local registry until the rehearsal is removed."""
        with self.opened(outputs["project"]) as part:
            part.get("repositories", {}).pop(f"{outputs['location']}/{outputs['repositoryId']}", None)


def _wrong(policy: dict[str, Any]) -> list[tuple[str, str]]:
    found = []
    if policy.get("action") not in {None, UNKNOWN, "DELETE", "KEEP"}:
        found.append((".action", f"expected action to be one of [DELETE KEEP], got {policy['action']}"))
    if policy.get("condition") and policy.get("mostRecentVersions"):
        found.append(("", "only one of condition and most_recent_versions may be given"))
    condition = policy.get("condition") or {}
    older = condition.get("olderThan") if isinstance(condition, dict) else None
    if older not in {None, UNKNOWN} and not _DURATION.fullmatch(older):
        found.append((".condition.olderThan", f"Invalid duration {older!r}"))
    if isinstance(condition, dict) and condition.get("tagState") not in {
        None,
        UNKNOWN,
        "TAGGED",
        "UNTAGGED",
        "ANY",
    }:
        found.append((".condition.tagState", f"{condition['tagState']!r} is not a tag state"))
    return found
