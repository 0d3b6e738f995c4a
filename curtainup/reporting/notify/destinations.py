"""The addresses that the configuration names, taken from the deployer's environment."""

from __future__ import annotations

import re
from urllib.parse import unquote

from curtainup.util.secrets import Secret

SHORTEST_PART = 4  # characters: shorter parts of an address are no tokens, and stand in any text
_SEPARATORS = re.compile(r"[/:@?&=,#]+")


def parts(address: Secret) -> list[Secret]:
    """Return an address and all that may be a token in it, as errors tell it in pieces."""
    pieces = _SEPARATORS.split(address.reveal().partition("://")[2])
    found = {text for piece in pieces for text in (piece, unquote(piece)) if len(text) >= SHORTEST_PART}
    return [address, *map(Secret, sorted(found))]
