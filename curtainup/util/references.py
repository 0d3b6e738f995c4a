"""References to code as texts, `module:name`, so that whoever holds one imports nothing."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any


def resolved(reference: str) -> Any:
    """Import the module of a reference, and return what has that name there."""
    module, _, name = reference.partition(":")
    return getattr(import_module(module), name)


@dataclass(frozen=True)
class Deferred:
    """A function or class that is imported when somebody calls it."""

    reference: str

    def __call__(self, *arguments: Any) -> Any:
        """Import it, and call it."""
        return resolved(self.reference)(*arguments)
