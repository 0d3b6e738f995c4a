"""Which files of a context `.dockerignore` leaves out of a build.

The rules are those of Docker's documentation ("Build context", ".dockerignore files"): the patterns of Go's
`filepath.Match`, `**` for any number of folders, `!` for an exception, and the last line that matches counts.
What curtainup takes for left out is not laid out for the build either, so a difference from Docker's reading
would show as a missing file, never as an image that is older than it says.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator, Sequence

NAME = ".dockerignore"

Ignores = Callable[[str], bool]
"""Returns whether a file is left out, by its path relative to the context."""


def names(dockerfile: str) -> tuple[str, str]:
    """Return the files that can hold the patterns of a Dockerfile, the one that counts first."""
    return f"{dockerfile}{NAME}", NAME


def rules(text: str) -> Ignores:
    """Return the rule that a `.dockerignore` states."""
    lines = list(_lines(text))
    return lambda path: _is_left_out(path, lines)


def _lines(text: str) -> Iterator[tuple[bool, re.Pattern[str]]]:
    """Yield of each line whether it leaves out, and what it matches."""
    for line in text.removeprefix("\ufeff").splitlines():
        if line.startswith("#"):
            continue
        pattern = line.strip()
        leaves_out = not pattern.startswith("!")
        pattern = pattern if leaves_out else pattern[1:].strip()
        if not pattern:
            continue
        pattern = posixpath.normpath(pattern).lstrip("/") or "."
        try:
            yield leaves_out, re.compile(_expression(pattern), re.DOTALL)
        except re.error:
            continue  # the builder itself refuses it, and says so


def _expression(pattern: str) -> str:
    """Return a regular expression that matches whole paths."""
    found, at = "", 0
    while at < len(pattern):
        one = pattern[at]
        if pattern.startswith("**", at):
            at += 2
            if pattern.startswith("/", at):
                at += 1
            found += ".*" if at >= len(pattern) else "(.*/)?"
            continue
        if one == "\\" and at + 1 < len(pattern):
            at += 1
            found += re.escape(pattern[at])
        elif one in "[]-" or (one == "^" and found.endswith("[")):
            found += one
        else:
            found += {"*": "[^/]*", "?": "[^/]"}.get(one, re.escape(one))
        at += 1
    return rf"\A{found}\Z"


def _is_left_out(path: str, lines: Sequence[tuple[bool, re.Pattern[str]]]) -> bool:
    """A pattern that matches a folder matches everything below it."""
    parts = path.split("/")
    places = ["/".join(parts[: depth + 1]) for depth in range(len(parts))]
    out = False
    for leaves_out, pattern in lines:
        if leaves_out != out and any(pattern.match(place) for place in places):
            out = leaves_out
    return out
