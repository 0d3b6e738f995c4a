"""The files of a commit, as git lists them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from curtainup.images.repository import Repository

FILE = "100644"
EXECUTABLE = "100755"
LINK = "120000"
MODULE = "160000"
ATTRIBUTES = ".gitattributes"


@dataclass(frozen=True)
class Entry:
    """A file, a link or a submodule of a commit.

    Attributes:
        mode: as git writes it.
        id: of its object; of a submodule, the commit.
        name: relative to the folder that the repository is seen from.

    """

    mode: str
    id: str
    name: str


@dataclass(frozen=True)
class Listing:
    """What a commit has below a folder.

    Attributes:
        entries: everything below the folder.
        attributes: the files of git attributes that hold there, those above the folder too.

    """

    entries: tuple[Entry, ...]
    attributes: tuple[Entry, ...]


def listing(repository: Repository, commit: str) -> Listing:
    """Return what a commit has below the folder that its repository is seen from.

    Raises:
        SourceError: git does not have the commit.

    """
    entries, attributes = [], []
    prefix = repository.prefix
    wanted = (prefix, *_above(prefix)) if prefix else ()
    for line in repository.git.names("ls-tree", "-r", "-z", "--full-tree", commit, "--", *wanted):
        described, _, name = line.partition("\t")
        mode, _, found = described.split()
        if name.startswith(prefix):
            entries.append(Entry(mode, found, name.removeprefix(prefix)))
        if name.rpartition("/")[2] == ATTRIBUTES and mode != LINK:
            attributes.append(Entry(mode, found, name))
    return Listing(tuple(entries), tuple(attributes))


def _above(prefix: str) -> Iterator[str]:
    """Yield the paths of the attributes files above a folder, as `shop/`."""
    folders = prefix.rstrip("/").split("/")
    for depth in range(len(folders)):
        yield "/".join([*folders[:depth], ATTRIBUTES])
