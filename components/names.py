"""Names that fit where a cloud bounds their length."""

from __future__ import annotations

import hashlib

_MARK = 5


def shortened(name: str, limit: int) -> str:
    """Return a name of at most `limit` characters: itself, or cut and told apart by a short hash.

    The same name and limit always give the same result, and a cut one ends in a hash of the whole, so that
    two names with the same beginning stay apart. `limit` must leave room for a letter, a hyphen and the hash.
    """
    if len(name) <= limit:
        return name
    return f"{name[: limit - _MARK - 1].rstrip('-')}-{_mark(name)}"


def told_apart(name: str, by: str, limit: int) -> str:
    """Return a name of at most `limit` characters, which is another one for another `by`.

    What cannot be changed in place is so made anew before the old one goes: two have to be there at once.
    """
    return shortened(f"{name}-{_mark(by)}", limit)


def _mark(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:_MARK]
