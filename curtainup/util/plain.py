"""Takes out of a text what a terminal, an editor or a reader could mistake for something else."""

from __future__ import annotations

import json
import re

# CSI: colours and the cursor. Then OSC, DCS, SOS, PM and APC: titles, links, pictures. Then two characters.
_SEQUENCES = (
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"
    r"|(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x90\x98\x9c-\x9f\n]*(?:\x07|\x1b\\|\x9c)"
    r"|\x1b[ -/]*[0-~]"
)
"""Escape sequences of ECMA-48, with seven bits and with eight."""
_CHARACTERS = (
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f]"  # C0 and C1, except tab and newline
    r"|[\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]"  # bidi, invisible
    r"|[\u2028\u2029\U000e0000-\U000e007f]"  # other line ends, tags
)
_UNWANTED = re.compile(f"{_SEQUENCES}|{_CHARACTERS}")
_SURROGATES = re.compile("[\ud800-\udfff]")
_ODD = re.compile(f"{_CHARACTERS}|[\ud800-\udfff]")


def clean(text: str) -> str:
    """Return a text without escape sequences and without control, bidirectional and invisible characters.

    What is no text at all, such as a byte of a file name that is not UTF-8, becomes U+FFFD. Tabs and newlines
    stay.
    """
    if text.isascii() and text.isprintable():
        return text
    return _SURROGATES.sub("\ufffd", _UNWANTED.sub("", text))


def one_line(text: str) -> str:
    """Return a clean text on one line."""
    return " ".join(clean(text).split())


def shortened(text: str, most: int) -> str:
    """Return a text of at most so many characters; the end of a longer one is left out, and counted."""
    return text if len(text) <= most else f"{text[:most]}… ({len(text) - most} characters more)"


def is_text(value: str) -> bool:
    """Return whether UTF-8 can hold a text: a byte or an escape may have left half a character in it."""
    return _SURROGATES.search(value) is None


def in_json(document: str) -> str:
    """Return a JSON document with escapes for what `clean` removes from a text."""
    return _ODD.sub(lambda found: json.dumps(found[0])[1:-1], document)
