"""The order in which services are deployed: each after those that it depends on."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import yaml

from curtainup.commands.several.members import Member
from curtainup.config.reading.loader import FILE_NAME
from curtainup.config.reading.problems import NOTHING_HAPPENED
from curtainup.config.reading.source import UNREADABLE
from curtainup.errors import ConfigError
from curtainup.util.files import read_bounded
from curtainup.util.git import Git

MOST = 256 << 10
"""Bytes of a configuration."""


def ordered(members: Sequence[Member]) -> list[Member]:
    """Return services so that each comes after those that it depends on, else in their order.

    A service that is needed and not among them stays as it is.

    Raises:
        ConfigError: services depend on each other in a circle, or one depends on what is no service.

    """
    _require_known(members)
    names = {one.name for one in members}
    waiting = [replace(one, depends_on=tuple(n for n in one.depends_on if n in names)) for one in members]
    found: list[Member] = []
    while waiting:
        done = {one.name for one in found}
        ready = next((one for one in waiting if done.issuperset(one.depends_on)), None)
        if ready is None:
            raise _circle(waiting)
        waiting.remove(ready)
        found.append(ready)
    return found


def _circle(waiting: Sequence[Member]) -> ConfigError:
    """Return the error for services of which each waits for another one."""
    needs = {one.name: next(n for n in one.depends_on if n in {w.name for w in waiting}) for one in waiting}
    path = [waiting[0].name]
    while path[-1] not in path[:-1]:
        path.append(needs[path[-1]])
    circle = path[path.index(path[-1]) :]
    return ConfigError(
        f"services depend on each other in a circle: {' → '.join(circle)}",
        where=", ".join(str(one.settings) for one in waiting if one.name in circle),
        consequence=f"none of them could come first. {NOTHING_HAPPENED}",
        fix="remove one of them from `depends_on`",
    )


def _require_known(members: Sequence[Member]) -> None:
    """Refuse a name that is no service's, neither of those that are given nor of the repository."""
    names = {one.name for one in members}
    strange = [(one, name) for one in members for name in one.depends_on if name not in names]
    for one, name in strange:
        known = names | elsewhere(one.folder)
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            raise ConfigError(
                f"{one.name} depends on {name}, which is no service of this repository",
                where=str(one.settings),
                consequence=NOTHING_HAPPENED,
                fix=f"did you mean `{near[0]}`?" if near else "correct `depends_on`, or remove the name",
            )


def elsewhere(folder: Path) -> set[str]:
    """Return the names of all services that git tracks in the repository of a folder."""
    top = Git(folder).run("rev-parse", "--show-toplevel")
    if top.code:
        return set()
    root = Path(os.fsdecode(top.out).removesuffix("\n"))
    files = (root / one for one in Git(root).names("ls-files", "-z") if Path(one).name == FILE_NAME)
    return set(_names(files))


def _names(files: Iterable[Path]) -> Iterable[str]:
    for file in files:
        try:
            name = yaml.safe_load(read_bounded(file, MOST))["name"]
        except (OSError, RecursionError, *UNREADABLE):
            continue
        yield str(name)
