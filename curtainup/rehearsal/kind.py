"""The base of all resource types of the stand-ins; `curtainup.rehearsal.server` calls them.

Methods get plain Python values: secrets are unwrapped, whole numbers are ints, and assets are the SDK's
`Asset` and `Archive` objects. Methods may block, because each call runs in a thread of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import Event
from typing import Any, ClassVar

from curtainup.rehearsal.faults import Faults
from curtainup.rehearsal.home import Home

Properties = Mapping[str, Any]


class CloudError(Exception):
    """The cloud refuses; the text is that of the real service."""


class Unready(Exception):
    """The resource was created or changed, but does not work: Pulumi keeps it, and says why.

    Args:
        id: the resource's id.
        outputs: its outputs, as in `Made.outputs`.
        reasons: why it does not work, in the words of the real service.

    """

    def __init__(self, id: str, outputs: Properties, reasons: list[str]) -> None:  # noqa: A002
        super().__init__("; ".join(reasons))
        self.id = id
        self.outputs = outputs
        self.reasons = reasons


@dataclass(frozen=True)
class Failure:
    """An input that the provider refuses before anything happens.

    Attributes:
        property: the path of the input, such as `template.containers[0].image`.
        reason: why it is refused, in the words of the real provider or service.

    """

    property: str
    reason: str


@dataclass(frozen=True)
class Made:
    """A resource that was created.

    Attributes:
        id: the id that the real provider would give it.
        outputs: its outputs besides its inputs, which become outputs by themselves.

    """

    id: str
    outputs: Properties = field(default_factory=dict)


@dataclass(frozen=True)
class Found:
    """A resource as it really is.

    Attributes:
        inputs: the inputs that differ from Pulumi's state, with their present values.
        outputs: its outputs besides its inputs.

    """

    inputs: Properties = field(default_factory=dict)
    outputs: Properties = field(default_factory=dict)


@dataclass(frozen=True)
class Cloud:
    """The cloud that resource types work in.

    Attributes:
        home: the rehearsal's folder.
        faults: the faults of the rehearsal.
        config: the provider's own configuration, such as `project` and `region`.
        cancelled: is set when the engine cancels the operation.

    """

    home: Home
    faults: Faults
    config: Properties = field(default_factory=dict)
    cancelled: Event = field(default_factory=Event)


class Kind:
    """One resource type.

    Attributes:
        token: its type token, such as `gcp:cloudrunv2/service:Service`.
        named_by: the input that gets a name with a random end when none is given.
        replaced_by: inputs whose change replaces the resource; nested ones are dotted paths without indexes.
        computed: outputs that a preview of its creation does not know.
        changing: outputs that a preview of an update does not know.
        filled: inputs that the provider takes from the cloud if they are not given ("Optional" and "Computed"
            in its schema); dotted paths without indexes.
        sets: lists whose order the provider does not compare; dotted paths likewise.

    """

    token: ClassVar[str]
    named_by: ClassVar[str | None] = None
    replaced_by: ClassVar[frozenset[str]] = frozenset()
    computed: ClassVar[tuple[str, ...]] = ()
    changing: ClassVar[tuple[str, ...]] = ()
    filled: ClassVar[frozenset[str]] = frozenset()
    sets: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud

    def check(self, inputs: Properties) -> list[Failure]:  # noqa: ARG002
        """Return what is wrong beyond the schema; values that are not known yet are `protocol.UNKNOWN`."""
        return []

    def told(self, inputs: Properties) -> Properties:
        """Return inputs as the cloud tells them afterwards, which is what the real provider compares."""
        return inputs

    def create(self, inputs: Properties) -> Made:
        """Create the resource.

        Raises:
            CloudError: the cloud refused, and nothing was created.
            Unready: the resource was created and does not work.

        """
        raise NotImplementedError(self.token)

    def update(self, id: str, outputs: Properties, inputs: Properties) -> Properties:  # noqa: A002
        """Change the resource, and return its outputs as in `Made.outputs`; raises what `create` raises.

        Args:
            id: the resource's id.
            outputs: its properties in Pulumi's state, including its inputs.
            inputs: its new inputs.

        """
        raise NotImplementedError(self.token)

    def read(self, id: str, outputs: Properties) -> Found | None:  # noqa: A002
        """Return the resource as it is, or None if it is gone."""
        raise NotImplementedError(self.token)

    def delete(self, id: str, outputs: Properties) -> None:  # noqa: A002
        """Remove the resource; it is no error if it is already gone. Raises `CloudError`."""
        raise NotImplementedError(self.token)


Function = Callable[[Cloud, Properties], Mapping[str, Any]]
"""A function that the program invokes; it takes the provider's cloud and the arguments."""
