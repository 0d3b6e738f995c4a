"""Splits the addresses of notifications into the parts that no output may show."""

from __future__ import annotations

import re
from urllib.parse import unquote

from curtainup.util.secrets import Secret

SHORTEST_PART = 4  # characters: shorter parts of an address are not tokens, and occur in any text
_SEPARATORS = re.compile(r"[/:@?&=,#]+")


def parts(address: Secret) -> list[Secret]:
    """Return an address and each part that may be a token, because an error may show only a part of it."""
    pieces = _SEPARATORS.split(address.reveal().partition("://")[2])
    found = {text for piece in pieces for text in (piece, unquote(piece)) if len(text) >= SHORTEST_PART}
    return [address, *map(Secret, sorted(found))]
