"""What a build takes from one repository: the service's own, or that of a submodule.

A file comes from its commit. Only `--dirty` takes what differs from the working tree. The digest of a layer
follows from git's ids and from what was taken, so no file of the commit is read for it.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from curtainup.images import changes, index, repository, tree
from curtainup.images.changes import GONE, Change
from curtainup.images.ignored import Ignores
from curtainup.images.repository import Repository
from curtainup.images.tree import LINK, MODULE, Entry, Listing

IGNORE = "export-ignore"
LARGE = "lfs"
NONE = ("unspecified", "unset", "set")
"""What git says of an attribute that has no value."""


@dataclass(frozen=True)
class Taken:
    """A file or link that the build takes from the working tree.

    Attributes:
        mode: as git writes it.
        digest: SHA-256 of its content, or of a link's target.
        name: relative to the folder that the repository is seen from.

    """

    mode: str
    digest: str
    name: str


@dataclass(frozen=True)
class Module:
    """A submodule.

    Attributes:
        name: its path, relative to the folder that its repository is seen from.
        commit: the one that belongs to the build; empty for one that is not committed yet.
        layer: what the build takes from it; None if it is not checked out.

    """

    name: str
    commit: str
    layer: Layer | None


@dataclass(frozen=True)
class Layer:
    """What a build takes from a repository.

    Attributes:
        repository: the repository.
        commit: where its files come from.
        entries: the files and links of the commit.
        taken: those of the working tree, which replace or add to those of the commit.
        modules: the submodules.
        attributes: the files that decide how git converts the others.
        rules: their text.
        left_out: files that the attribute `export-ignore` leaves out.
        edited: the names of everything that comes from the working tree, or is missing there.
        trimmed: whether something was left out after it was read.

    """

    repository: Repository
    commit: str
    entries: tuple[Entry, ...]
    taken: tuple[Taken, ...]
    modules: tuple[Module, ...]
    attributes: tuple[Entry, ...]
    rules: str
    left_out: tuple[str, ...]
    edited: tuple[str, ...]
    trimmed: bool = False

    @property
    def changed(self) -> bool:
        """Whether anything comes from the working tree, or is missing there."""
        return bool(self.edited)

    @cached_property
    def digest(self) -> str:
        """A hash of exactly what the build reads of it."""
        lines = [f"{one.mode} {one.id}\t{one.name}" for one in self.entries]
        lines += [f"{one.mode} {one.digest}\t{one.name}" for one in self.taken]
        lines += [f"{MODULE} {_identity(one)}\t{one.name}" for one in self.modules]
        lines += [f"{tree.ATTRIBUTES} {one.id}\t{one.name}" for one in self.attributes]
        return hashlib.sha256(b"\0".join(os.fsencode(line) for line in sorted(lines))).hexdigest()

    def names(self) -> Iterator[str]:
        """Yield the names of all its files, those of submodules too."""
        yield from (one.name for one in self.entries)
        yield from (one.name for one in self.taken)
        for module in self.modules:
            if module.layer is not None:
                yield from (f"{module.name}/{name}" for name in module.layer.names())

    def missing(self) -> Iterator[str]:
        """Yield the paths of submodules that are not checked out."""
        for module in self.modules:
            if module.layer is None:
                yield module.name
            else:
                yield from (f"{module.name}/{name}" for name in module.layer.missing())

    def without(self, ignores: Ignores) -> Layer:
        """Return the layer without the files that `.dockerignore` leaves out."""
        trimmed = (_trimmed(one, ignores) for one in self.modules if not ignores(one.name))
        modules = tuple(one for one in trimmed if one is not None)
        same = {one.name for one in self.modules} - {one.name for one in modules if _is_changed(one)}
        kept = replace(
            self,
            entries=tuple(one for one in self.entries if not ignores(one.name)),
            taken=tuple(one for one in self.taken if not ignores(one.name)),
            modules=modules,
            left_out=tuple(name for name in self.left_out if not ignores(name)),
            edited=tuple(name for name in self.edited if name not in same and not ignores(name)),
            trimmed=True,
        )
        return replace(kept, attributes=tuple(one for one in self.attributes if kept.heeds(one)))

    def heeds(self, attributes: Entry) -> bool:
        """Return whether a file of attributes is about any file of the layer."""
        folder = attributes.name.removesuffix(tree.ATTRIBUTES)
        prefix = self.repository.prefix
        names = (*(one.name for one in self.entries), *(one.name for one in self.taken))
        return prefix.startswith(folder) or any((prefix + name).startswith(folder) for name in names)


def _trimmed(module: Module, ignores: Ignores) -> Module | None:
    """Return a submodule without what is left out; None if nothing remains of it."""
    if module.layer is None:
        return module
    layer = module.layer.without(lambda name: ignores(f"{module.name}/{name}"))
    return replace(module, layer=layer) if any(True for _ in layer.names()) else None


def read(
    found: Repository, commit: str, shown: Sequence[Change] | None = None, program: str | None = None
) -> Layer:
    """Return what a build takes from a repository.

    Args:
        found: the repository.
        commit: the one to take.
        shown: the changes that git shows. They are taken from the working tree, and so are those that git
            does not show. None takes the commit as it is.
        program: the path of an ejected program, with its slash; it is not built.

    Raises:
        SourceError: git failed.

    """
    listed = _without(program, tree.listing(found, commit))
    texts = repository.contents(found, [one.id for one in listed.attributes])
    rules = "\n".join(os.fsdecode(text) for text in texts.values())
    edits = [] if shown is None else _edits(found, commit, listed, rules, shown)
    edits = [one for one in edits if program is None or not one.name.startswith(program)]
    edited = {one.name for one in edits}
    kept = [one for one in listed.entries if one.name not in edited]
    modules = _modules(found, kept, edits, dirty=shown is not None)
    taken = _taken(found.folder, edits)
    names = [*(one.name for one in kept), *(one.name for one in taken)]
    ignored = _ignored(found, commit, names) if IGNORE in rules else set()
    return Layer(
        found,
        commit,
        tuple(one for one in kept if one.mode != MODULE and one.name not in ignored),
        tuple(one for one in taken if one.name not in ignored),
        tuple(one for one in modules if one.name not in ignored),
        listed.attributes,
        rules,
        tuple(sorted(ignored)),
        tuple(sorted({*edited, *(one.name for one in modules if _identity(one) != one.commit)})),
    )


def _without(program: str | None, listed: Listing) -> Listing:
    if program is None:
        return listed
    return replace(listed, entries=tuple(one for one in listed.entries if not one.name.startswith(program)))


def _edits(
    found: Repository, commit: str, listed: Listing, rules: str, shown: Sequence[Change]
) -> list[Change]:
    """Return the changes of the working tree, one for each name. A submodule tells of its own changes."""
    files = [one for one in listed.entries if one.mode != MODULE]
    unseen = changes.hidden(found, files, _converted(found, commit, files, rules))
    seen = (one for one in shown if one.mode != MODULE or _is_new(one, listed))
    return list({one.name: one for one in (*unseen, *seen)}.values())


def _is_new(change: Change, listed: Listing) -> bool:
    return all(one.name != change.name or one.mode != MODULE for one in listed.entries)


def _converted(found: Repository, commit: str, files: Sequence[Entry], rules: str) -> set[str]:
    """Return the files that a filter of the user's converts; Git LFS is none, as its pointer names it."""
    if "filter=" not in rules.replace(f"filter={LARGE}", ""):
        return set()
    with index.of(found, commit) as scratch:
        values = scratch.attribute("filter", [found.prefix + one.name for one in files])
    return {path.removeprefix(found.prefix) for path, value in values.items() if value not in {LARGE, *NONE}}


def _modules(
    found: Repository, kept: Sequence[Entry], edits: Sequence[Change], *, dirty: bool
) -> list[Module]:
    known = [Module(one.name, one.id, None) for one in kept if one.mode == MODULE]
    known += [Module(one.name, "", None) for one in edits if one.mode == MODULE]
    return [_opened(found.folder / one.name, one, dirty=dirty) for one in known]


def _opened(folder: Path, module: Module, *, dirty: bool) -> Module:
    """Return a submodule with its layer, if it is checked out and has its commit."""
    if not (folder / ".git").exists():
        return module
    inner = repository.find(folder)
    commit = inner.head if dirty else module.commit
    if inner.git.run("cat-file", "-e", f"{commit}^{{tree}}").code:
        return module
    layer = read(inner, commit, changes.find(inner) if dirty else None)
    return Module(module.name, module.commit, layer)


def _identity(module: Module) -> str:
    """Return the commit of a submodule that is as committed, else the digest of what is there."""
    layer = module.layer
    if layer is None or (layer.commit == module.commit and not layer.changed and not layer.trimmed):
        return module.commit
    return layer.digest


def _is_changed(module: Module) -> bool:
    """Return whether a submodule is other than it is committed."""
    layer = module.layer
    return layer is not None and (layer.commit != module.commit or layer.changed)


def _taken(folder: Path, edits: Sequence[Change]) -> list[Taken]:
    files = [one for one in edits if one.mode not in {GONE, MODULE}]
    return [Taken(one.mode, digest_of(folder / one.name, one.mode), one.name) for one in files]


def digest_of(path: Path, mode: str) -> str:
    """Return the SHA-256 of a file's content, or of a link's target."""
    if mode == LINK:
        return hashlib.sha256(os.fsencode(path.readlink())).hexdigest()
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _ignored(found: Repository, commit: str, names: Sequence[str]) -> set[str]:
    """Return the files that `export-ignore` leaves out, each or with its folder, as `git archive` does.

    What the build itself reads stays: a Dockerfile and `.dockerignore`.
    """
    paths = {name: {name, *_folders(name)} for name in names if not _is_of_the_build(name)}
    with index.of(found, commit) as scratch:
        asked = sorted({found.prefix + path for each in paths.values() for path in each})
        values = scratch.attribute(IGNORE, asked)
    out = {path.removeprefix(found.prefix) for path, value in values.items() if value == "set"}
    return {name for name, each in paths.items() if out & each}


def _folders(name: str) -> Iterator[str]:
    """Yield the folders that a file is in, each with a slash at its end."""
    parts = name.split("/")
    for depth in range(1, len(parts)):
        yield "/".join(parts[:depth]) + "/"


def _is_of_the_build(path: str) -> bool:
    name = path.rpartition("/")[2]
    return name.startswith("Dockerfile") or name.endswith(".dockerignore")
