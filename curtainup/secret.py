"""The type that secrets wear: it shows itself as `***` wherever it is printed."""

from __future__ import annotations

import hmac
from typing import NoReturn, SupportsIndex

REDACTED = "***"


class Secret:
    """A text that is only seen by who calls `reveal`.

    `repr`, `str` and any format give `***`; pickling and JSON refuse it. Equality compares the values, in
    constant time. A secret is not hashable, so that it never becomes a key.
    """

    __slots__ = ("__value",)
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, value: str) -> None:
        self.__value = value

    def reveal(self) -> str:
        """The plain value, to be handed to the engine's standard input and nowhere else."""
        return self.__value

    def __repr__(self) -> str:
        return REDACTED

    def __str__(self) -> str:
        return REDACTED

    def __format__(self, spec: str) -> str:
        return REDACTED

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(_bytes(self), _bytes(other))

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        raise TypeError("a Secret is not pickled or copied: pass it on as it is")


def _bytes(secret: Secret) -> bytes:
    """The bytes the environment held, also where they were not UTF-8."""
    return secret.reveal().encode("utf-8", "surrogateescape")
