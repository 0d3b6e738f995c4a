"""Takes secrets out of texts before anybody sees them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

from curtainup.util.encodings import forms
from curtainup.util.plain import clean
from curtainup.util.secrets import REDACTED, Secret

WORD = 8
"""Characters: a shorter form is found as a whole word only."""
NUMBER = 4
"""Characters: a shorter form stays in curtainup's own sentences, as does a short word or number."""
PIECE = 12
"""Characters of a piece of a secret that is found though the rest is missing."""
_WINDOW = 9
_STEP = PIECE - _WINDOW + 1
"""Each piece holds a window that begins at a multiple of this, so only those have to be looked at."""
_ESCAPED = re.compile(r"(?:\\[abfnrtv0]|\\x[0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|%[0-9a-fA-F]{2})\Z")
"""An escaped character, whose letters are no part of the word after it."""


def redactor(secrets: Iterable[Secret]) -> Redactor:
    """Return what takes some secrets out of texts."""
    return _made(tuple(secret.reveal() for secret in secrets))


class Redactor:
    """Takes some values, and what `clean` removes, out of texts."""

    def __init__(self, values: Iterable[str]) -> None:
        found = {form for value in values for form in forms(value)}
        self._long = _Pieces(form for form in found if len(form) >= PIECE)
        self._short = _pattern(form for form in found if len(form) < PIECE)
        self._whole = sorted((form for form in found if len(form) >= WORD), key=len, reverse=True)
        self._odd = _pattern(form for form in found if NUMBER <= len(form) < WORD and not _is_word(form))

    def __call__(self, text: str) -> str:
        """Return what somebody else has written, with `***` for each secret and each piece of one."""
        text = self._long.without(clean(text))
        return self._short.sub(_masked, text) if self._short else text

    def ours(self, text: str) -> str:
        """Return a sentence of curtainup's own, with `***` for each whole secret that is no mere word."""
        text = clean(text)
        for form in self._whole:
            text = text.replace(form, REDACTED)
        return self._odd.sub(_masked, text) if self._odd else text


@lru_cache(maxsize=16)
def _made(values: tuple[str, ...]) -> Redactor:
    return Redactor(values)


class _Pieces:
    """Finds every piece of `PIECE` characters or more."""

    def __init__(self, long: Iterable[str]) -> None:
        found = tuple(long)
        self._windows = {form[at : at + _WINDOW] for form in found for at in range(len(form) - _WINDOW + 1)}
        self._drawn = {form[0] for form in found if _is_drawn(form)}

    def without(self, text: str) -> str:
        """Return a text with `***` for each piece."""
        if not self._windows or len(text) < PIECE:
            return text
        kept, end = [], 0
        for first, last in self._spans(text):
            kept += [text[end:first], REDACTED]
            end = last
        return "".join([*kept, text[end:]])

    def _spans(self, text: str) -> Iterator[tuple[int, int]]:
        """Yield where each piece begins and ends."""
        windows, at, floor, last = self._windows, 0, 0, len(text) - _WINDOW
        while at <= last:
            if text[at : at + _WINDOW] not in windows:
                at += _STEP
                continue
            first = at
            while first > floor and text[first - 1 : first - 1 + _WINDOW] in windows:
                first -= 1
            while at < last and text[at + 1 : at + 1 + _WINDOW] in windows:
                at += 1
            floor = at + _WINDOW
            if floor - first >= PIECE and self._tells(text[first:floor]):
                yield first, floor
            at += 2

    def _tells(self, piece: str) -> bool:
        return not _is_drawn(piece) or piece[0] in self._drawn


def _is_drawn(text: str) -> bool:
    """Whether a text is a line of equal characters, which many a program draws."""
    return text == text[0] * len(text)


def _pattern(short: Iterable[str]) -> re.Pattern[str] | None:
    alternatives = [re.escape(form) for form in sorted(short, key=len, reverse=True)]
    return re.compile("|".join(alternatives)) if alternatives else None


def _masked(found: re.Match[str]) -> str:
    """Return `***`, unless a short form is only a part of a longer word."""
    form, text = found[0], found.string
    if len(form) >= WORD:
        return REDACTED
    before, after = text[max(0, found.start() - 6) : found.start()], text[found.end() : found.end() + 1]
    begins = not _is_letter(before[-1:]) or not _is_letter(form[0]) or _ESCAPED.search(before)
    ends = not _is_letter(after) or not _is_letter(form[-1])
    return REDACTED if begins and ends else form


def _is_letter(sign: str) -> bool:
    return sign.isalnum() or sign == "_"


def _is_word(form: str) -> bool:
    return form.isalpha() or form.isdecimal()


NOTHING = Redactor(())
"""Knows no secret."""
