"""Reads YAML into plain values and remembers the line of each.

YAML's own loader forgets lines, takes the last of two equal keys without a word, and follows aliases
without bound; a configuration file deserves better.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from curtainup.config.reading.problems import NOTHING_HAPPENED, KeyPath, Problem, spelled
from curtainup.errors import ConfigError
from curtainup.util.files import read_bounded
from curtainup.util.plain import clean, is_text

MAX_NODES: Final = 10_000
MAX_BYTES: Final = 256 << 10
"""YAML is read in Python, which takes a second for each 100 KB."""
LONGEST_NUMBER: Final = 200
LONGEST_EXCERPT: Final = 200
_TEXT: Final = "tag:yaml.org,2002:str"
_KINDS: Final = ("tag:yaml.org,2002:map", "tag:yaml.org,2002:seq")
UNREADABLE: Final = (yaml.YAMLError, ValueError, ArithmeticError, LookupError, TypeError, AttributeError)
"""What PyYAML raises for a value that its tag does not fit."""
_MERGE: Final = "tag:yaml.org,2002:merge"
HALF: Final = "write the character itself, or its escape with eight digits (\\U0001F3AD)"


@dataclass(frozen=True)
class Document:
    """A parsed file.

    Args:
        file: where it was read.
        data: the top level; lists are tuples, keys are text.
        lines: the 1-based line of each key and list item.
        raw: scalars as they are spelled in the file.
        problems: doubled keys, keys that are not text, values YAML cannot read.

    """

    file: Path
    data: dict[str, Any] = field(default_factory=dict)
    lines: dict[KeyPath, int] = field(default_factory=dict)
    raw: dict[KeyPath, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def line_of(self, path: KeyPath) -> int:
        """The line of `path`, else of what holds it; the file's first line at last."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.lines:
                return self.lines[path[:length]]
        return 1


def read(file: Path) -> Document:
    """Parses `file`.

    Raises:
        ConfigError: it is missing, unreadable, not UTF-8, empty, broken YAML, or not a mapping.

    """
    node = _compose(file, _text(file))
    if node is None or (isinstance(node, ScalarNode) and not node.value):
        raise _unusable(file, "is empty", "Write at least `name: NAME`.")
    if not isinstance(node, MappingNode):
        raise _unusable(
            file, f"is {_kind(node)}, not a mapping of keys to values", "Write lines such as `name: hello`."
        )
    document = Document(file)
    try:
        document.data.update(_Reader(document).mapping(node, ()))
    except RecursionError:
        raise _unusable(file, "is nested too deeply, or refers to itself", "Write the values out.") from None
    return document


def _text(file: Path) -> str:
    """The file's text, without a byte order mark."""
    try:
        content = read_bounded(file, MAX_BYTES)
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise _unusable(
            file, f"is not UTF-8: byte {error.start} cannot be read", "Save it as UTF-8.", line
        ) from None
    except FileNotFoundError:
        raise _unusable(
            file,
            "does not exist",
            "Give the folder of a service, or write this file with at least `name: NAME`.",
        ) from None
    except OSError as error:
        fix = f"Make it a file of at most {MAX_BYTES >> 10} KiB that you can read."
        raise _unusable(file, f"cannot be read: {error.strerror}", fix) from None


def _compose(file: Path, text: str) -> Node | None:
    try:
        return yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        raise _broken(file, text, error) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        what = f"holds a character that YAML does not allow: {text[error.position]!r}"
        raise _unusable(file, what, "Remove it.", line) from None
    except RecursionError:
        raise _unusable(file, "is nested too deeply", "Use fewer levels.") from None
    except (ValueError, ArithmeticError) as error:  # of an escape or a directive that PyYAML does not check
        raise _unusable(file, f"is not valid YAML: {clean(str(error))}", "Correct its escapes.") from None


def _broken(file: Path, text: str, error: yaml.MarkedYAMLError) -> ConfigError:
    """Says where YAML stumbled, with the line and a caret under the column."""
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line, mark.column) if mark else (0, 0)
    rows = text.splitlines()
    first = max(0, column - LONGEST_EXCERPT // 2)
    row = rows[line][first : first + LONGEST_EXCERPT] if line < len(rows) else None
    excerpt = None if row is None else f"{row}\n{' ' * (column - first)}^"
    reason = " ".join(part for part in (error.context, error.problem) if part)
    return ConfigError(
        f"{file.name} is not valid YAML: {reason}.",
        where=f"{file}:{line + 1}:{column + 1}",
        consequence=NOTHING_HAPPENED,
        fix=_repair(error, reason),
        detail=excerpt,
    )


def _repair(error: yaml.MarkedYAMLError, reason: str) -> str:
    if "'\\t'" in reason:
        return "Indent with spaces, not tabs."
    if error.context == "while scanning an alias":
        return 'Write a value that begins with * in quotes, such as "*/5 * * * *".'
    return "Correct that line: look at indentation, quotes and colons."


def _unusable(file: Path, what: str, fix: str, line: int | None = None) -> ConfigError:
    where = f"{file}:{line}" if line else str(file)
    return ConfigError(f"{file.name} {what}.", where=where, consequence=NOTHING_HAPPENED, fix=fix)


def _kind(node: Node) -> str:
    return (
        "a list"
        if isinstance(node, SequenceNode)
        else "a mapping"
        if isinstance(node, MappingNode)
        else "a single value"
    )


class _Reader:
    """Turns nodes into values, noting lines and problems in a `Document`."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._constructor = yaml.constructor.SafeConstructor()
        self._seen = 0

    def mapping(self, node: MappingNode, path: KeyPath) -> dict[str, Any]:
        """A mapping's values: its own keys over those it merges with `<<`."""
        own: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        first: dict[str, int] = {}
        for key_node, value_node in node.value:
            if key_node.tag == _MERGE:
                merged = self._merge(value_node, path) | merged
        for key_node, value_node in node.value:
            if key_node.tag == _MERGE:
                continue
            name, line = self._key(key_node, path), key_node.start_mark.line + 1
            if name is None:
                continue
            if name in first:
                self._doubled((*path, name), first[name], line)
                continue
            first[name] = line
            own[name] = self._value(value_node, (*path, name), line)
        return merged | own

    def _merge(self, node: Node, path: KeyPath) -> dict[str, Any]:
        """What `<<: *anchor` or `<<: [*a, *b]` brings in; of two, the first wins."""
        self._count()
        if isinstance(node, MappingNode):
            return self.mapping(node, path)
        found: dict[str, Any] = {}
        sources = node.value if isinstance(node, SequenceNode) else [node]
        for source in sources:
            if isinstance(source, MappingNode):
                self._count()
                found = self.mapping(source, path) | found
            else:
                self._note(path, source, "`<<` takes a mapping", "write `<<: *anchor`")
        return found

    def _key(self, node: Node, path: KeyPath) -> str | None:
        if isinstance(node, ScalarNode) and node.tag == _TEXT and is_text(node.value):
            return str(node.value)
        if isinstance(node, ScalarNode) and not is_text(node.value):
            self._note(path, node, f"the key {node.value!r} holds half a character", HALF)
        elif isinstance(node, ScalarNode):
            name = spelled((node.value,))
            self._note(
                path, node, f"YAML does not read the key {name} as text", f'write it in quotes: "{name}"'
            )
        else:
            self._note(path, node, f"the key is {_kind(node)}, not text", "write a name")
        return None

    def _value(self, node: Node, path: KeyPath, line: int) -> Any:
        self._count()
        self._document.lines[path] = line
        if not isinstance(node, ScalarNode) and node.tag not in _KINDS:
            self._note(path, node, f"YAML does not know the tag {clean(node.tag)!r}", "remove the tag")
            return None
        if isinstance(node, MappingNode):
            return self.mapping(node, path)
        if isinstance(node, SequenceNode):
            items = enumerate(node.value)
            return tuple(self._value(item, (*path, at), item.start_mark.line + 1) for at, item in items)
        if not is_text(node.value):
            self._note(path, node, "the value holds half a character (a lone surrogate)", HALF)
            return None
        self._document.raw[path] = node.value
        return self._scalar(node, path)

    def _scalar(self, node: Node, path: KeyPath) -> Any:
        try:
            if node.tag != _TEXT and len(node.value) > LONGEST_NUMBER:
                raise ValueError("no number or date is that long")
            return self._constructor.construct_object(node)
        except UNREADABLE:
            self._note(path, node, "YAML cannot read the value", "write it in quotes, without a tag")
            return None

    def _doubled(self, path: KeyPath, first: int, line: int) -> None:
        problem = Problem(
            path=path,
            what=f"appears twice, on lines {first} and {line}",
            consequence="only one of the two can count",
            fix="remove one",
            line=line,
        )
        self._document.problems.append(problem)

    def _note(self, path: KeyPath, node: Node, what: str, fix: str) -> None:
        line = node.start_mark.line + 1
        self._document.problems.append(
            Problem(
                path=path, what=what, consequence="curtainup cannot tell what it means", fix=fix, line=line
            )
        )

    def _count(self) -> None:
        self._seen += 1
        if self._seen > MAX_NODES:
            raise _unusable(self._document.file, f"holds more than {MAX_NODES} values", "Use fewer aliases.")
