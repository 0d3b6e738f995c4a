"""Resource types that are only a record, which other resources look up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from curtainup.rehearsal.aws.common import AwsError, told
from curtainup.rehearsal.home import Home
from curtainup.rehearsal.kind import Found, Kind, Made, Properties


def records(home: Home, token: str) -> dict[str, Any]:
    """Return the inputs and outputs of a type's resources, by id."""
    with home.cloud("aws") as state:
        found: dict[str, Any] = state.get(token, {})
    return found


class Stored(Kind):
    """A resource that `clouds/aws.json` keeps by id.

    Attributes:
        service: the name of the service in AWS's SDK.
        noun: the name of the resource in the real provider.
        operation: the operation that creates it.
        taken: the code and message of the refusal when the id is taken; None replaces the resource.

    """

    service: ClassVar[str]
    noun: ClassVar[str]
    operation: ClassVar[str]
    taken: ClassVar[tuple[str, str] | None] = None

    def identify(self, inputs: Properties) -> str:
        """Return the id of a new resource."""
        return str(inputs["name"])

    def facts(self, id: str, inputs: Properties) -> Mapping[str, Any]:  # noqa: A002, ARG002
        """Return the resource's outputs besides its inputs."""
        return {}

    def refuse(self, inputs: Properties) -> None:
        """Raise `AwsError` for what the service would refuse."""

    def create(self, inputs: Properties) -> Made:
        """Save the resource."""
        with told(f"creating {self.noun} ({self._called(inputs)})", self.service, self.operation):
            self.refuse(inputs)
            id = self.identify(inputs)  # noqa: A001
            outputs = dict(self.facts(id, inputs))
            self._keep(id, {**inputs, **outputs}, new=True)
        return Made(id, outputs)

    def update(self, id: str, outputs: Properties, inputs: Properties) -> Properties:  # noqa: A002, ARG002
        """Save the changes."""
        with told(f"updating {self.noun} ({id})", self.service, self.operation.replace("Create", "Update")):
            self.refuse(inputs)
            facts = dict(self.facts(id, inputs))
            self._keep(id, {**inputs, **facts}, new=False)
        return facts

    def read(self, id: str, outputs: Properties) -> Found | None:  # noqa: A002
        """Return the resource, or None if it is gone."""
        return Found(outputs=outputs) if id in records(self.cloud.home, self.token) else None

    def delete(self, id: str, outputs: Properties) -> None:  # noqa: A002, ARG002
        """Remove the record."""
        with self.cloud.home.cloud("aws") as state:
            state.get(self.token, {}).pop(id, None)

    def _keep(self, id: str, record: Mapping[str, Any], *, new: bool) -> None:  # noqa: A002
        with self.cloud.home.cloud("aws") as state:
            known = state.setdefault(self.token, {})
            if new and self.taken and id in known:
                code, message = self.taken
                raise AwsError(code, message.format(**record), 409)
            known[id] = record

    def _called(self, inputs: Properties) -> str:
        return str(inputs.get(self.named_by or "name") or "")
