"""What a stand-in's resource types have in common; `curtainup.rehearsal.server` drives them.

Methods get plain Python values: secrets unwrapped, whole numbers as ints, assets as the SDK's own
`Asset` and `Archive` objects. They may block, and run in threads of their own.
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
    """The cloud refuses; the text is the real service's own."""


class Unready(Exception):
    """The resource was made or changed, but does not work: Pulumi keeps it, and says why.

    Args:
        id: the resource's id.
        outputs: its outputs, as `Made.outputs`.
        reasons: why it does not work, in the real service's words.

    """

    def __init__(self, id: str, outputs: Properties, reasons: list[str]) -> None:  # noqa: A002
        super().__init__("; ".join(reasons))
        self.id = id
        self.outputs = outputs
        self.reasons = reasons


@dataclass(frozen=True)
class Failure:
    """An input that is refused before anything happens.

    Attributes:
        property: its path, such as `template.containers[0].image`.
        reason: in the words of the real provider or service.

    """

    property: str
    reason: str


@dataclass(frozen=True)
class Made:
    """A resource that was made.

    Attributes:
        id: as the real provider gives it.
        outputs: what it has besides its inputs, which become outputs by themselves.

    """

    id: str
    outputs: Properties = field(default_factory=dict)


@dataclass(frozen=True)
class Found:
    """A resource as it really is.

    Attributes:
        inputs: those that are no longer as Pulumi remembers, with the value that they have now.
        outputs: what it has besides its inputs.

    """

    inputs: Properties = field(default_factory=dict)
    outputs: Properties = field(default_factory=dict)


@dataclass(frozen=True)
class Cloud:
    """What a resource type works in.

    Attributes:
        home: where the rehearsal keeps everything.
        faults: what is to go wrong.
        config: the provider's own configuration, such as `project` and `region`.
        cancelled: set when the engine wants waiting to end.

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
        replaced_by: inputs whose change replaces the resource; dotted, without indexes, where nested.
        computed: outputs that are not known in the preview of its creation.
        changing: outputs that are not known in the preview of an update.

    """

    token: ClassVar[str]
    named_by: ClassVar[str | None] = None
    replaced_by: ClassVar[frozenset[str]] = frozenset()
    computed: ClassVar[tuple[str, ...]] = ()
    changing: ClassVar[tuple[str, ...]] = ()

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud

    def check(self, inputs: Properties) -> list[Failure]:  # noqa: ARG002
        """Return what is wrong beyond the schema; values that are not known yet are `protocol.UNKNOWN`."""
        return []

    def create(self, inputs: Properties) -> Made:
        """Make the resource.

        Raises:
            CloudError: it was refused, and nothing was made.
            Unready: it was made and does not work.

        """
        raise NotImplementedError(self.token)

    def update(self, id: str, outputs: Properties, inputs: Properties) -> Properties:  # noqa: A002
        """Change the resource, and return its outputs as `Made.outputs`; raises as `create`.

        Args:
            id: the resource's id.
            outputs: all that Pulumi remembers, inputs included.
            inputs: what is wanted.

        """
        raise NotImplementedError(self.token)

    def read(self, id: str, outputs: Properties) -> Found | None:  # noqa: A002
        """Return the resource as it is, or None if it is gone."""
        raise NotImplementedError(self.token)

    def delete(self, id: str, outputs: Properties) -> None:  # noqa: A002
        """Remove the resource; one that is gone already is no error. Raises `CloudError`."""
        raise NotImplementedError(self.token)


Function = Callable[[Cloud, Properties], Mapping[str, Any]]
"""An invoke: gets the provider's cloud and the arguments."""
