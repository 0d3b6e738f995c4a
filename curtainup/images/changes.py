"""How the working tree differs from the commit, whatever git was told not to look at."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from curtainup.images.repository import Repository
from curtainup.images.tree import FILE, LINK, MODULE, Entry
from curtainup.util.git import Git, parted

GONE = ""
OPTIONS = (
    "--raw",
    "-z",
    "--no-renames",
    "--no-ext-diff",
    "--no-textconv",
    "--no-color",
    "--relative",
    "--ignore-submodules=untracked",
)


@dataclass(frozen=True)
class Change:
    """A tracked file that differs from the commit.

    Attributes:
        name: relative to the service's folder.
        mode: its mode now, as git writes modes; `GONE` if there is no file any more.

    """

    name: str
    mode: str


def find(repository: Repository) -> tuple[Change, ...]:
    """Return the changes below the repository's folder, as git sees them.

    Only the user's configuration says how files were converted when they were checked out, as for Git LFS. So
    git reads it before anything counts as a change.

    Raises:
        SourceError: git failed.

    """
    return _changes(repository.git, repository) and _changes(repository.git.as_user(), repository)


def hidden(repository: Repository, entries: Iterable[Entry], converted: Iterable[str]) -> Iterator[Change]:
    """Yield the changes that git does not show.

    Args:
        repository: the repository.
        entries: the files of its commit.
        converted: names of files that a filter of the user's converts, which git compares after converting.

    Raises:
        SourceError: git failed.

    """
    flagged = dict(_flagged(repository.git))
    for entry in entries:
        flag = flagged.get(entry.name, "")
        if not flag and entry.name not in converted:
            continue
        path = repository.folder / entry.name
        if not os.path.lexists(path):
            if flag == "h":  # else a sparse checkout leaves it out
                yield Change(entry.name, GONE)
        elif not is_as_stored(path, entry):
            yield Change(entry.name, _mode(path, entry))


def is_as_stored(path: Path, entry: Entry) -> bool:
    """Return whether a file of the working tree has the very bytes that git stores, link or not."""
    if path.is_symlink() != (entry.mode == LINK) or not (path.is_symlink() or path.is_file()):
        return False
    content = os.fsencode(path.readlink()) if path.is_symlink() else path.read_bytes()
    kind = "sha1" if len(entry.id) == 40 else "sha256"
    digest = hashlib.new(kind, b"blob %d\0" % len(content), usedforsecurity=False)
    digest.update(content)
    return digest.hexdigest() == entry.id


def _changes(git: Git, repository: Repository) -> tuple[Change, ...]:
    parts = iter(parted(git.ask("diff", *OPTIONS, repository.head, "--", ".").out))
    found = {}
    for described, name in zip(parts, parts, strict=True):
        _, mode, _, _, status = described.split()
        now = FILE if status == "U" else mode.replace("000000", GONE)
        found[name] = Change(name, now)
    return tuple(found.values())


def _flagged(git: Git) -> Iterator[tuple[str, str]]:
    """Yield the names that git was told not to look at: `h` for assume-unchanged, else for skip-worktree."""
    for line in git.names("ls-files", "-v", "-z"):
        flag, _, name = line.partition(" ")
        if flag in {"h", "s", "S"}:
            yield name, flag


def _mode(path: Path, entry: Entry) -> str:
    if path.is_symlink():
        return LINK
    return FILE if entry.mode in {LINK, MODULE} else entry.mode
