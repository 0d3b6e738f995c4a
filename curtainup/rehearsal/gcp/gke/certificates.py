"""Stand-in of Certificate Manager: certificates that Google manages, and the maps that lead to them.

No certificate is ever issued: Google does so once DNS leads to the load balancer, and there is none.
"""

from __future__ import annotations

import re
from typing import ClassVar

from curtainup.engine.provider.protocol import UNKNOWN
from curtainup.rehearsal.gcp.common import Document, GoogleKind, conflict, now
from curtainup.rehearsal.kind import CloudError, Failure, Found, Made, Properties

_NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9_-]{0,63}")
_DOMAIN = re.compile(r"(\*\.)?[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)+")
MOST_DOMAINS = 100
"""Of one certificate. Source: https://cloud.google.com/certificate-manager/docs/quotas"""


class _Kept(GoogleKind):
    """A resource of Certificate Manager.

    Attributes:
        collection: where it is, in its id and in the state.

    """

    api = "certificatemanager.googleapis.com"
    collection: ClassVar[str] = ""
    computed = ("createTime", "updateTime")
    changing = ("updateTime",)

    def check(self, inputs: Properties) -> list[Failure]:
        """Refuse names that Certificate Manager does not take."""
        name = inputs.get("name")
        if name in {None, UNKNOWN} or _NAME.fullmatch(str(name)):
            return []
        return [Failure("name", f"{name!r} does not match [a-zA-Z][a-zA-Z0-9_-]*")]

    def path(self, inputs: Properties, project: str) -> str:
        """Return the resource's full name."""
        return f"projects/{project}/locations/global/{self.collection}/{inputs['name']}"

    def require(self, part: Document, inputs: Properties) -> None:
        """Check that what the resource names is there; raises CloudError."""

    def create(self, inputs: Properties) -> Made:
        """Create the resource."""
        project = self.project(inputs)
        path = self.path(inputs, project)
        with self.opened(project) as part:
            kept = part.setdefault(self.collection, {})
            if path in kept:
                raise conflict(f"Resource '{path}' already exists")
            self.require(part, inputs)
            kept[path] = self.content(inputs)
        return Made(path, {"project": project, "createTime": now(), "updateTime": now()})

    def content(self, inputs: Properties) -> Document:  # noqa: ARG002
        """Return what the state holds of the resource."""
        return {}

    def update(self, id: str, outputs: Properties, inputs: Properties) -> Properties:  # noqa: A002
        """Change the resource."""
        with self.opened(outputs["project"]) as part:
            self.require(part, inputs)
            part[self.collection][id] = self.content(inputs)
        return {"project": outputs["project"], "createTime": outputs["createTime"], "updateTime": now()}

    def read(self, id: str, outputs: Properties) -> Found | None:  # noqa: A002
        """Return the resource, or None if it is gone."""
        with self.opened(outputs["project"]) as part:
            return Found() if id in part.get(self.collection, {}) else None

    def used(self, part: Document, id: str) -> str | None:  # noqa: A002, ARG002
        """Return what still needs the resource."""
        return None

    def delete(self, id: str, outputs: Properties) -> None:  # noqa: A002
        """Remove the resource, unless something needs it."""
        with self.opened(outputs["project"]) as part:
            if user := self.used(part, id):
                raise CloudError(
                    f"googleapi: Error 400: can't delete {self.collection} that are referenced by a "
                    f"CertificateMapEntry or contain one: {user}, failedPrecondition"
                )
            part.get(self.collection, {}).pop(id, None)


class Certificate(_Kept):
    """A certificate that Google issues and renews."""

    token = "gcp:certificatemanager/certificate:Certificate"  # noqa: S105
    collection = "certificates"
    replaced_by = frozenset({"location", "managed", "name", "project", "scope"})

    def check(self, inputs: Properties) -> list[Failure]:
        """Refuse what names no host."""
        found, managed = super().check(inputs), inputs.get("managed")
        if managed == UNKNOWN:
            return found
        if (managed is None) == (inputs.get("selfManaged") is None):
            return [*found, Failure("managed", "exactly one of `managed,self_managed` must be specified")]
        domains = (managed or {}).get("domains") or []
        if managed is not None and not 1 <= len(domains) <= MOST_DOMAINS:
            found.append(Failure("managed.domains", f"from 1 to {MOST_DOMAINS} domains are allowed"))
        return found + [
            Failure("managed.domains", f"{one!r} is not a domain")
            for one in domains
            if one != UNKNOWN and not _DOMAIN.fullmatch(one)
        ]

    def content(self, inputs: Properties) -> Document:
        """Keep which hosts it is for; it waits for DNS."""
        return {"domains": (inputs.get("managed") or {}).get("domains"), "state": "PROVISIONING"}

    def used(self, part: Document, id: str) -> str | None:  # noqa: A002
        """Return the entry of a map that leads to the certificate."""
        entries = part.get(CertificateMapEntry.collection, {})
        return next((path for path, one in entries.items() if id in one["certificates"]), None)


class CertificateMap(_Kept):
    """A map from hosts to certificates."""

    token = "gcp:certificatemanager/certificateMap:CertificateMap"  # noqa: S105
    collection = "certificateMaps"
    replaced_by = frozenset({"name", "project"})

    def used(self, part: Document, id: str) -> str | None:  # noqa: A002
        """Return an entry that is in the map."""
        entries = part.get(CertificateMapEntry.collection, {})
        return next((path for path in entries if path.startswith(f"{id}/")), None)


class CertificateMapEntry(_Kept):
    """The certificates of one host."""

    token = "gcp:certificatemanager/certificateMapEntry:CertificateMapEntry"  # noqa: S105
    collection = "certificateMapEntries"
    replaced_by = frozenset({"hostname", "map", "matcher", "name", "project"})

    def check(self, inputs: Properties) -> list[Failure]:
        """Refuse an entry for no host, or for two things at once."""
        found = super().check(inputs)
        if (inputs.get("hostname") is None) == (inputs.get("matcher") is None):
            found.append(Failure("hostname", "exactly one of `hostname,matcher` must be specified"))
        return found

    def path(self, inputs: Properties, project: str) -> str:
        """Return the entry's full name."""
        where = f"projects/{project}/locations/global/{CertificateMap.collection}/{inputs['map']}"
        return f"{where}/{self.collection}/{inputs['name']}"

    def require(self, part: Document, inputs: Properties) -> None:
        """Check that the map and the certificates are there."""
        maps = {path.rpartition("/")[2] for path in part.get(CertificateMap.collection, {})}
        absent = [] if inputs["map"] in maps else [f"certificateMaps/{inputs['map']}"]
        absent += [one for one in inputs["certificates"] if one not in part.get(Certificate.collection, {})]
        if absent:
            raise CloudError(f"googleapi: Error 404: Resource '{absent[0]}' was not found, notFound")

    def content(self, inputs: Properties) -> Document:
        """Keep where it leads."""
        return {"certificates": list(inputs["certificates"]), "hostname": inputs.get("hostname")}
