"""What an environment shares with other services of its host."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Shared:
    """Something that has to be there before an environment can be updated, in a stack of its own.

    Attributes:
        stack: the stack.
        config: its configuration.
        move: what making it means, in words.

    """

    stack: str
    config: Mapping[str, Any]
    move: str
