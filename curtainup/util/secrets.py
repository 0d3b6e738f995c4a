"""The type of all secrets, which prints as `***`."""

from __future__ import annotations

import hmac
from typing import NoReturn, SupportsIndex

REDACTED = "***"


class Secret:
    """A text that only `reveal` returns in plain.

    `repr`, `str` and every format return `***`; pickle and JSON reject it. Equality compares the values in
    constant time. A secret is not hashable, so it never becomes a key.
    """

    __slots__ = ("__value",)
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, value: str) -> None:
        self.__value = value

    def reveal(self) -> str:
        """Return the plain value. Pass it to the engine's standard input and nowhere else."""
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
    """Return the bytes that the environment holds, even if they are not UTF-8."""
    return secret.reveal().encode("utf-8", "surrogateescape")
