"""What is wrong with a configuration file: one `Problem` per line, and the error that lists them all."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from curtainup.errors import ConfigError

KeyPath = tuple[str | int, ...]
"""Where a value stands: `("environments", "live", "port")`, `("canary", 0)`."""

NOTHING_HAPPENED = "Nothing was built or deployed; staging and live are as they were."


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One mistake (or, as a warning, one oddity) in a configuration file.

    Args:
        path: the key; empty for the file as a whole.
        what: what is wrong with it.
        consequence: what it would lead to.
        fix: what to write instead.
        line: 1-based line; 0 until it is known.

    """

    path: KeyPath
    what: str
    consequence: str
    fix: str
    line: int = 0


def spelled(path: KeyPath) -> str:
    """`environments.live.canary[0]`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            name = part if part.isprintable() else repr(part)
            text += f".{name}" if text else name
    return text


def rendered(problem: Problem, file_name: str) -> str:
    """The problem in one line, as `FILE:LINE: key: what — consequence — fix`."""
    place = f"{file_name}:{problem.line}" if problem.line else file_name
    subject = f"{spelled(problem.path)}: " if problem.path else ""
    return f"{place}: {subject}{problem.what} — {problem.consequence} — {problem.fix}"


def config_error(file: Path, problems: Iterable[Problem]) -> ConfigError:
    """The error that lists all problems of a file, in the order of its lines."""
    ordered = sorted(problems, key=lambda problem: (problem.line, spelled(problem.path)))
    count = "a problem" if len(ordered) == 1 else f"{len(ordered)} problems"
    return ConfigError(
        f"{file.name} has {count}.",
        where=str(file),
        consequence=NOTHING_HAPPENED,
        fix="Correct the problems below; docs/config.md describes every key.",
        detail="\n".join(rendered(problem, file.name) for problem in ordered),
    )
