"""A file of variables that `--env-file` names: a line `NAME=value` for each.

There is no standard of such files. What programs agree on is read, and anything else is an error, as a secret
that is read otherwise than meant is found late. Nothing is put in for `$NAME`: a value is what stands there.
"""

from __future__ import annotations

import re
import stat
from collections.abc import Callable
from pathlib import Path

from curtainup.errors import ConfigError
from curtainup.util.files import read_bounded

_NAME = re.compile(r"(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_]*)[ \t]*=[ \t]*")
_SINGLE = re.compile(r"'([^']*)'")
_DOUBLE = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_BARE = re.compile(r"(?:[^\s#'\"]|(?<![\s=])[#'\"]|[ \t]+(?![#\s]))*")
_REST = re.compile(r"[ \t]*(?:#[^\n]*)?(?:\n|\Z)")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_MEANT = {"n": "\n", "r": "\r", "t": "\t"}
NOTHING_DONE = "nothing was built or changed"


def read(file: Path, warn: Callable[[str], None]) -> dict[str, str]:
    """Return the variables of a file by name; of a name that is there twice, the last.

    Args:
        file: the file.
        warn: told if other users of the machine may read it.

    Raises:
        ConfigError: it cannot be read, or a line is no variable; no value is shown.

    """
    try:
        text = read_bounded(file).decode("utf-8-sig")
        mode = file.stat().st_mode
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"the file of variables cannot be read: {_why(error)}",
            where=str(file),
            consequence=NOTHING_DONE,
            fix="name a file of UTF-8 text with --env-file",
        ) from error
    if mode & stat.S_IROTH:
        warn(f"every user of this machine may read {file}, which holds secrets: chmod 600 {file}")
    return parse(text, str(file))


def parse(text: str, where: str = "--env-file") -> dict[str, str]:
    """Return the variables in a text by name.

    Args:
        text: the whole file.
        where: its name, for the error.

    Raises:
        ConfigError: a line is no variable; it is told by its number.

    """
    text, at = text.replace("\r\n", "\n"), 0
    found: dict[str, str] = {}
    while at < len(text):
        rest = _REST.match(text, at)
        if rest is None:
            name = _NAME.match(text, at)
            value = _value(text, name.end()) if name else None
            rest = _REST.match(text, value[1]) if value else None
            if name is None or value is None or rest is None or "\0" in value[0]:
                raise _wrong(where, text.count("\n", 0, at) + 1)
            found[name[1]] = value[0]
        at = rest.end()
        if rest.end() == rest.start():
            break
    return found


def _value(text: str, at: int) -> tuple[str, int] | None:
    """Return the value that begins at a place, and where it ends; None if a quote is not closed."""
    if text[at : at + 1] == "'":
        single = _SINGLE.match(text, at)
        return (single[1], single.end()) if single else None
    if text[at : at + 1] == '"':
        double = _DOUBLE.match(text, at)
        return (_ESCAPED.sub(_unescaped, double[1]), double.end()) if double else None
    bare = _BARE.match(text, at)
    return (bare[0].rstrip(), bare.end()) if bare else None


def _unescaped(found: re.Match[str]) -> str:
    kept = found[1] if found[1] in '"\\$`' else found[0]
    return _MEANT.get(found[1], kept)


def _why(error: OSError | ValueError) -> str:
    return error.strerror or "it is gone" if isinstance(error, OSError) else "it is no UTF-8 text"


def _wrong(where: str, line: int) -> ConfigError:
    return ConfigError(
        "a line in the file of variables sets no variable",
        where=f"{where}, line {line}",
        consequence=NOTHING_DONE,
        fix="write NAME=value; put a value with quotes, a # or line breaks between ' or \"",
    )
