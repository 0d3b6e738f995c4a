"""Resource types that are no more than a record that others look up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from curtainup.rehearsal.aws.common import AwsError, told
from curtainup.rehearsal.home import Home
from curtainup.rehearsal.kind import Found, Kind, Made, Properties


def records(home: Home, token: str) -> dict[str, Any]:
    """Return by id the inputs and outputs of a type's resources."""
    with home.cloud("aws") as state:
        found: dict[str, Any] = state.get(token, {})
    return found


class Stored(Kind):
    """A resource that is kept by id in `clouds/aws.json`.

    Attributes:
        service: as AWS's SDK names it.
        noun: the resource as the real provider names it.
        operation: that creates it.
        taken: code and message of the refusal when there is one of that id; None replaces it.

    """

    service: ClassVar[str]
    noun: ClassVar[str]
    operation: ClassVar[str]
    taken: ClassVar[tuple[str, str] | None] = None

    def identify(self, inputs: Properties) -> str:
        """Return the id of a new one."""
        return str(inputs["name"])

    def facts(self, id: str, inputs: Properties) -> Mapping[str, Any]:  # noqa: A002, ARG002
        """Return what it has besides its inputs."""
        return {}

    def refuse(self, inputs: Properties) -> None:
        """Raise `AwsError` for what the service would refuse."""

    def create(self, inputs: Properties) -> Made:
        """Keep it."""
        with told(f"creating {self.noun} ({self._called(inputs)})", self.service, self.operation):
            self.refuse(inputs)
            id = self.identify(inputs)  # noqa: A001
            outputs = dict(self.facts(id, inputs))
            self._keep(id, {**inputs, **outputs}, new=True)
        return Made(id, outputs)

    def update(self, id: str, outputs: Properties, inputs: Properties) -> Properties:  # noqa: A002, ARG002
        """Keep what changed."""
        with told(f"updating {self.noun} ({id})", self.service, self.operation.replace("Create", "Update")):
            self.refuse(inputs)
            facts = dict(self.facts(id, inputs))
            self._keep(id, {**inputs, **facts}, new=False)
        return facts

    def read(self, id: str, outputs: Properties) -> Found | None:  # noqa: A002
        """Return the resource, or None if it is gone."""
        return Found(outputs=outputs) if id in records(self.cloud.home, self.token) else None

    def delete(self, id: str, outputs: Properties) -> None:  # noqa: A002, ARG002
        """Forget it."""
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
