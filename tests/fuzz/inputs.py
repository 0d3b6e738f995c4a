"""Inputs that nobody would write by hand."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

IN_FOLDER = settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
"""For tests that write each input to the same file."""

NUMBERS = st.integers() | st.floats() | st.sampled_from([1e308, -1, 10**12, 2**63, 10**400])
TIMES = ["2026-01-01T00:00:00Z", "0000-00-00", "33658-09-27T01:46:40Z"]
WORDS = st.sampled_from(["", "live", "r0000001", *TIMES, "\x1b[2J", "\u202e", "\0", "a" * 300])
SCALARS = st.none() | st.booleans() | NUMBERS | WORDS | st.text(max_size=20)


def values(*keys: str) -> st.SearchStrategy[Any]:
    """Return any values, with mappings of the given keys and of others."""
    names = st.text(max_size=5) | st.sampled_from(keys) if keys else st.text(max_size=5)
    return st.recursive(
        SCALARS,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=6),
        max_leaves=20,
    )


def documents(*keys: str) -> st.SearchStrategy[bytes]:
    """Return JSON documents, whole and broken, and some that are nested deeply."""
    whole = values(*keys).map(lambda value: json.dumps(value).encode())
    deep = st.sampled_from([b"[", b'{"a":', b'{"checkpoint":[']).map(lambda piece: piece * 100_000)
    return whole | whole.map(lambda text: text[: len(text) // 2]) | st.binary(max_size=100) | deep


def changed(sample: bytes) -> st.SearchStrategy[bytes]:
    """Return a right document with some of its bytes replaced, left out or repeated."""
    place = st.integers(0, len(sample))
    change = st.tuples(place, place, st.binary(max_size=8) | st.sampled_from([b'"', b"\xff", b"9" * 30]))

    def made(changes: list[tuple[int, int, bytes]]) -> bytes:
        text = sample
        for first, last, piece in changes:
            text = text[:first] + piece + text[last:]
        return text

    return st.lists(change, max_size=4).map(made)
