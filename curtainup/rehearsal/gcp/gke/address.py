"""Stand-in of Compute Engine's global addresses."""

from __future__ import annotations

import hashlib
import re

from curtainup.engine.provider.protocol import UNKNOWN
from curtainup.rehearsal.gcp.common import GoogleKind, conflict, now
from curtainup.rehearsal.kind import CloudError, Failure, Found, Made, Properties

_NAME = re.compile(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?")
_TYPES = frozenset({"EXTERNAL", "INTERNAL"})
_LABEL = re.compile(r"[a-z0-9_-]{0,63}")


class GlobalAddress(GoogleKind):
    """An address that stays."""

    token = "gcp:compute/globalAddress:GlobalAddress"  # noqa: S105
    api = "compute.googleapis.com"
    named_by = "name"
    replaced_by = frozenset(
        {"address", "addressType", "description", "ipVersion", "name", "network", "prefixLength", "project"}
    )
    computed = ("address", "creationTimestamp", "labelFingerprint", "selfLink")

    def check(self, inputs: Properties) -> list[Failure]:
        """Refuse names, kinds and labels that Compute Engine does not have."""
        found = []
        name, kind = inputs.get("name"), inputs.get("addressType", "EXTERNAL")
        if name not in {None, UNKNOWN} and not _NAME.fullmatch(str(name)):
            reason = f'"name" ("{name}") doesn\'t match regexp "^(?:[a-z](?:[-a-z0-9]{{0,61}}[a-z0-9])?)$"'
            found.append(Failure("name", reason))
        if kind not in _TYPES | {UNKNOWN}:
            found.append(
                Failure("addressType", f"expected address_type to be one of {sorted(_TYPES)}, got {kind}")
            )
        labels = inputs.get("labels") or {}
        wrong = [value for value in labels.values() if value != UNKNOWN and not _LABEL.fullmatch(value)]
        return [*found, *(Failure("labels", f"Invalid value for field 'labels': '{one}'") for one in wrong)]

    def create(self, inputs: Properties) -> Made:
        """Reserve an address."""
        project, name = self.project(inputs), inputs["name"]
        if self.cloud.faults.strikes("quota", name):
            raise CloudError(
                "googleapi: Error 403: Quota 'STATIC_ADDRESSES' exceeded.  Limit: 8.0 globally., "
                "quotaExceeded"
            )
        path = f"projects/{project}/global/addresses/{name}"
        with self.opened(project) as part:
            addresses = part.setdefault("addresses", {})
            if name in addresses:
                raise conflict(f"The resource '{path}' already exists")
            addresses[name] = inputs.get("address") or _address(path)
            told = self._told(project, path, addresses[name])
        return Made(path, told)

    def update(self, id: str, outputs: Properties, inputs: Properties) -> Properties:  # noqa: A002, ARG002
        """Change the labels."""
        return {name: outputs[name] for name in (*self.computed, "project")}

    def read(self, id: str, outputs: Properties) -> Found | None:  # noqa: A002
        """Return the address, or None if it is no longer reserved."""
        with self.opened(outputs["project"]) as part:
            found = part.get("addresses", {}).get(id.rpartition("/")[2])
        return None if found is None else Found()

    def delete(self, id: str, outputs: Properties) -> None:  # noqa: A002
        """Give the address back."""
        with self.opened(outputs["project"]) as part:
            part.get("addresses", {}).pop(id.rpartition("/")[2], None)

    def _told(self, project: str, path: str, address: str) -> dict[str, str]:
        return {
            "address": address,
            "creationTimestamp": now(),
            "labelFingerprint": "42WmSpB8rSM=",
            "project": project,
            "selfLink": f"https://www.googleapis.com/compute/v1/{path}",
        }


def _address(path: str) -> str:
    """Return an address that is nobody's (https://www.rfc-editor.org/rfc/rfc5737)."""
    return f"203.0.113.{1 + hashlib.sha256(path.encode()).digest()[0] % 254}"
