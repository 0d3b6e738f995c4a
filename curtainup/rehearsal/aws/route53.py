"""Route 53's stand-in: it keeps records, but no name server answers with them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from curtainup.rehearsal.aws.common import AwsError
from curtainup.rehearsal.aws.stored import Stored
from curtainup.rehearsal.kind import Properties


class Record(Stored):
    """`aws:route53/record:Record`."""

    token = "aws:route53/record:Record"  # noqa: S105
    service = "Route 53"
    noun = "Route53 Record"
    operation = "ChangeResourceRecordSets"
    replaced_by = frozenset({"name", "type", "zoneId", "setIdentifier"})
    computed = ("fqdn",)

    def identify(self, inputs: Properties) -> str:
        """Return the zone, name and type, as the real provider does."""
        return f"{inputs['zoneId']}_{inputs['name']}_{inputs['type']}"

    def refuse(self, inputs: Properties) -> None:
        """Refuse an invalid zone, and a record without a time to live or a target."""
        zone = inputs["zoneId"]
        if not re.fullmatch(r"Z[A-Z0-9]{1,31}", zone):
            raise AwsError("NoSuchHostedZone", f"No hosted zone found with ID: {zone}", 404)
        if not inputs.get("aliases") and not (inputs.get("records") and inputs.get("ttl") is not None):
            raise AwsError(
                "InvalidInput",
                "Invalid request: Expected exactly one of [AliasTarget, all of [TTL, and ResourceRecords]]",
            )

    def facts(self, id: str, inputs: Properties) -> Mapping[str, Any]:  # noqa: A002, ARG002
        """Return the record's full name."""
        return {"fqdn": str(inputs["name"]).rstrip(".")}


KINDS = (Record,)
