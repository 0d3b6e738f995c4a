"""The interface of our provider's resource types: each is a module with these functions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from threading import Event
from typing import Any, Protocol

from curtainup.errors import CurtainupError

Properties = Mapping[str, Any]
Say = Callable[[str], None]
"""Shows what an operation is waiting for; it may get the same text again and again."""


def silent(text: str) -> None:
    """Show nothing."""


class Partial(Exception):
    """The change was made, but something is wrong with it.

    Pulumi saves the outputs, and the next update tries again, even if no input has changed.

    Args:
        error: what is wrong.
        outputs: the resource's present outputs.

    """

    def __init__(self, error: CurtainupError, outputs: Mapping[str, Any]) -> None:
        super().__init__(error.what)
        self.error = error
        self.outputs = dict(outputs)


class Kind(Protocol):
    """The operations of a resource type. Errors for people are `CurtainupError`.

    Attributes:
        TYPE: the type's token.
        DERIVED: inputs that `completed` adds; a diff names them only if nothing else differs.
        LASTING: outputs that no update changes, so that a preview may promise them.

    """

    TYPE: str
    DERIVED: tuple[str, ...]
    LASTING: tuple[str, ...]

    def check(self, olds: Properties, news: Properties) -> list[tuple[str, str]]:
        """Return what is wrong with the inputs, as property and reason; unknown values pass."""

    def completed(self, inputs: Properties) -> dict[str, Any]:
        """Return checked inputs, with the derived ones added."""

    def foreseen(self, inputs: Properties) -> dict[str, Any]:
        """Return the outputs that a preview may promise."""

    def name(self, inputs: Properties) -> str:
        """Return the id of a new resource."""

    def create(
        self, inputs: Properties, cancelled: Event, say: Say, *, stack: str | None = None
    ) -> dict[str, Any]:
        """Create the resource, and touch only what is the stack's own; return the outputs."""

    def update(
        self, olds: Properties, inputs: Properties, cancelled: Event, say: Say, *, stack: str | None = None
    ) -> dict[str, Any]:
        """Change the resource from old outputs to new inputs; return the outputs. See `create`."""

    def read(self, state: Properties, cancelled: Event, say: Say) -> dict[str, Any] | None:
        """Return the real outputs, or None if the resource is gone; what changes by itself is waited for."""

    def delete(self, state: Properties) -> None:
        """Remove what only the resource has made; most leave what they steer as it is."""
