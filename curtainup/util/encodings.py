"""The forms in which a text turns up in the output of programs."""

from __future__ import annotations

import html
import json
import os
import re
import shlex
from base64 import b64encode
from collections.abc import Iterator
from urllib.parse import quote, quote_plus

from curtainup.util.plain import clean

SHORTEST_LINE = 4
"""Characters of a line that counts by itself: shorter ones, such as `}`, occur everywhere."""
SHORTEST_CODE = 8
"""Characters of a form that looks like any other, such as hexadecimal."""
_NOT_SAFE_IN_SHELL = re.compile(r"([^\w@%+=:,./-])", re.ASCII)
_UNICODE = re.compile(r"\\u[0-9a-f]{4}")
_PERCENT = re.compile(r"%[0-9A-F]{2}")


def forms(value: str) -> set[str]:
    """Return a value and each of its lines, in every form that `clean` leaves of them."""
    lines = value.splitlines()
    texts = {value}
    if len(lines) > 1:
        texts |= {line for line in lines if len(line) >= SHORTEST_LINE}
    found = {form for text in texts if text for form in (*_spellings(text), *_codes(text))}
    return {cleaned for form in found if (cleaned := clean(form))}


def _spellings(text: str) -> Iterator[str]:
    """Yield forms in which a reader still recognizes the text."""
    raw = os.fsencode(text)  # what the environment holds, UTF-8 or not
    yield text
    yield raw.decode("utf-8", "replace")
    yield from _literals(text)
    yield repr(raw)[2:-1]
    yield shlex.quote(text)[1:-1] if shlex.quote(text) != text else text
    yield _NOT_SAFE_IN_SHELL.sub(r"\\\1", text)
    yield from _markup(text)
    yield from _percent(raw)


def _literals(text: str) -> Iterator[str]:
    """Yield the text in a literal of Python or JSON, and such a literal in another one."""
    once = {
        repr(text)[1:-1],
        ascii(text)[1:-1],
        json.dumps(text)[1:-1],
        json.dumps(text, ensure_ascii=False)[1:-1],
    }
    script = json.dumps(text)[1:-1]
    for sign in "<>&'":
        script = script.replace(sign, f"\\u{ord(sign):04x}")  # so that HTML can hold it
    once |= {script, json.dumps(text)[1:-1].replace("/", "\\/")}
    yield from once
    yield from (_UNICODE.sub(lambda found: f"\\u{found[0][2:].upper()}", one) for one in once)
    yield from (json.dumps(one, ensure_ascii=False)[1:-1] for one in once)
    yield from (repr(one)[1:-1] for one in once)


def _markup(text: str) -> Iterator[str]:
    for quotes in (
        ("&quot;", "&#x27;"),
        ("&#34;", "&#39;"),
        ("&quot;", "&apos;"),
        ("&quot;", "'"),
        ('"', "'"),
    ):
        escaped = html.escape(text, quote=False)
        yield escaped.replace('"', quotes[0]).replace("'", quotes[1])


def _percent(raw: bytes) -> Iterator[str]:
    for one in (quote(raw), quote(raw, safe=""), quote(raw, safe="!~*'()"), quote_plus(raw)):
        yield one
        yield _PERCENT.sub(lambda found: found[0].lower(), one)
        yield quote(one, safe="+")


def _codes(text: str) -> Iterator[str]:
    """Yield base64 and hexadecimal. In base64, three forms are possible, by what stands before the text."""
    raw = os.fsencode(text)
    if len(raw) < SHORTEST_LINE:
        return
    whole = b64encode(raw).decode()
    found = {whole, whole.rstrip("="), raw.hex(), raw.hex().upper()}
    for before in (1, 2):
        ends = (before + len(raw)) * 8 // 6
        found.add(b64encode(bytes(before) + raw).decode()[before + 1 : ends])
    found |= {one.replace("+", "-").replace("/", "_") for one in found}
    yield from (one for one in found if len(one) >= SHORTEST_CODE)
