"""The type of all secrets, which prints as `***`, and a function that removes secrets from text."""

from __future__ import annotations

import hmac
import json
import os
import re
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Iterable, Iterator
from typing import NoReturn, SupportsIndex
from urllib.parse import quote, quote_plus

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


SHORTEST_LINE = 4  # characters: shorter lines of a secret, such as `}`, reveal nothing and occur everywhere


def redactor(secrets: Iterable[Secret]) -> Callable[[str], str]:
    """Return a function that replaces each secret, its lines and their quoted forms with `***`."""
    forms = {form for secret in secrets for form in _forms(secret.reveal())}
    if not forms:
        return str
    pattern = re.compile("|".join(re.escape(form) for form in sorted(forms, key=len, reverse=True)))
    return lambda text: pattern.sub(REDACTED, text)


def _forms(value: str) -> Iterator[str]:
    """Yield the value and each of its lines: plain, quoted as in `repr`, JSON and URLs, and in base64."""
    lines = value.splitlines()
    plain = {value, *(line for line in lines if len(line) >= SHORTEST_LINE)} if len(lines) > 1 else {value}
    for text in filter(None, plain):
        yield text
        yield repr(text)[1:-1]
        yield ascii(text)[1:-1]
        yield json.dumps(text)[1:-1]
        yield json.dumps(text, ensure_ascii=False)[1:-1]
        raw = os.fsencode(text)  # what the environment holds, UTF-8 or not
        yield raw.decode("utf-8", "replace")
        yield quote(raw)
        yield quote_plus(raw)
        if len(raw) >= SHORTEST_LINE:
            yield b64encode(raw).decode()
            yield urlsafe_b64encode(raw).decode()
