"""Taking secrets out of text that tests print, in the forms they take there."""

from __future__ import annotations

import json
import os
import re
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Iterable, Iterator
from urllib.parse import quote, quote_plus

from curtainup.secret import REDACTED, Secret

SHORTEST_LINE = 4  # characters: shorter lines of a longer secret, such as `}`, say nothing and are everywhere


def redactor(secrets: Iterable[Secret]) -> Callable[[str], str]:
    """A function that puts `***` for each secret, its lines, and their quoted forms."""
    forms = {form for secret in secrets for form in _forms(secret.reveal())}
    if not forms:
        return str
    pattern = re.compile("|".join(re.escape(form) for form in sorted(forms, key=len, reverse=True)))
    return lambda text: pattern.sub(REDACTED, text)


def _forms(value: str) -> Iterator[str]:
    """The value as it is, line by line, and as `repr`, JSON and URLs quote it, and in base64."""
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
