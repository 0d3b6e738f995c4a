"""Settings that environments share, and those in which they differ."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T", bound=Hashable)


@dataclass(frozen=True)
class Grouped(Generic[T]):
    """A setting of one or more environments.

    Attributes:
        value: the setting.
        suffix: names the environments, ` (live)`; empty when all have the same.

    """

    value: T
    suffix: str


def grouped(settings: Iterable[tuple[str, T]]) -> list[Grouped[T]]:
    """Return each setting once, in the order given, from pairs of an environment's name and its setting."""
    by_value: dict[T, list[str]] = {}
    for environment, value in settings:
        by_value.setdefault(value, []).append(environment)
    if len(by_value) == 1:
        return [Grouped(next(iter(by_value)), "")]
    return [Grouped(value, f" ({', '.join(names)})") for value, names in by_value.items()]
