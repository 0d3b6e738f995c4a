"""What every resource type of our provider is: a module with these functions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from threading import Event
from typing import Any, Protocol

from curtainup.errors import CurtainupError

Properties = Mapping[str, Any]
Say = Callable[[str], None]
"""Tells people what an operation is waiting for; it may be told the same again and again."""


def silent(text: str) -> None:
    """Tell nobody."""


class Partial(Exception):
    """The change was made, and something about it is wrong.

    Pulumi remembers the outputs, and the next update tries again even if nothing is wanted otherwise.

    Args:
        error: what is wrong.
        outputs: the resource's outputs as they are now.

    """

    def __init__(self, error: CurtainupError, outputs: Mapping[str, Any]) -> None:
        super().__init__(error.what)
        self.error = error
        self.outputs = dict(outputs)


class Kind(Protocol):
    """The operations of a resource type. Errors for people are `CurtainupError`.

    Attributes:
        TYPE: its token.
        DERIVED: inputs that `completed` adds; a difference in them is told only where nothing else differs.
        LASTING: outputs that no update changes, which its preview may promise.

    """

    TYPE: str
    DERIVED: tuple[str, ...]
    LASTING: tuple[str, ...]

    def check(self, olds: Properties, news: Properties) -> list[tuple[str, str]]:
        """Return what is wrong with inputs, as property and reason; unknown values pass."""

    def completed(self, inputs: Properties) -> dict[str, Any]:
        """Return checked inputs with those that follow from them."""

    def foreseen(self, inputs: Properties) -> dict[str, Any]:
        """Return the outputs that a preview may promise."""

    def name(self, inputs: Properties) -> str:
        """Return the id of a new resource."""

    def create(self, inputs: Properties, cancelled: Event, say: Say) -> dict[str, Any]:
        """Make it real; return the outputs."""

    def update(self, olds: Properties, inputs: Properties, cancelled: Event, say: Say) -> dict[str, Any]:
        """Make a change real, from old outputs to new inputs; return the outputs."""

    def read(self, state: Properties) -> dict[str, Any] | None:
        """Return the outputs as they really are, or None if it is gone."""
