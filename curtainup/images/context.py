"""Lays out the folder that an image is built from: what the commit has, whatever the working tree looks like.

Modes are 0644 and 0755, as git knows no others, and files of the commit are as old as it. So a build gets the
same from every clone.
"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Mapping, Sequence, Set
from contextlib import suppress
from pathlib import Path

from curtainup.errors import SourceError
from curtainup.images import index, large_files, layers
from curtainup.images.index import Index
from curtainup.images.large_files import LONGEST
from curtainup.images.layers import LARGE, NONE, Layer, Taken
from curtainup.images.repository import Repository
from curtainup.images.source import Source
from curtainup.images.tree import ATTRIBUTES, EXECUTABLE, LINK

ENCRYPTED = (b"\0GITCRYPT\0", b"U2FsdGVkX1")
"""The beginnings of files that git-crypt and transcrypt have encrypted."""
FETCH = ("--no-tags", "--no-write-fetch-head", "--recurse-submodules=no", "--filter=blob:none", "--stdin")


def export(source: Source, target: Path, extra: Mapping[str, str]) -> None:
    """Lay out a build context: the files of a source, and `extra` files by name.

    It makes the folder anew, so that nothing of an earlier build remains in it.

    Raises:
        SourceError: something that belongs to the commit is not on this machine, or a file that `--dirty`
            takes has just been changed.
        DiskFull: the disk is full.

    """
    require_modules(source)
    work = target.with_name(f"{target.name}.new")
    for folder in (target, work):
        if folder.exists():
            shutil.rmtree(folder)
    made = work / "context"
    made.mkdir(parents=True)
    if source.layer is not None:
        _lay_out(source.layer, made, work, source.seconds)
    for name, text in extra.items():
        (made / name).write_text(text)
    made.rename(target)
    shutil.rmtree(work)


def require_modules(source: Source) -> None:
    """Refuse a source whose submodules are not checked out.

    Raises:
        SourceError: one is not.

    """
    missing = list(source.layer.missing()) if source.layer is not None else []
    if missing:
        which = "a submodule is" if len(missing) == 1 else f"{len(missing)} submodules are"
        raise SourceError(
            f"{which} not checked out",
            where=", ".join(missing),
            consequence="the image would lack their files, so nothing was built",
            fix=f"git -C {source.folder} submodule update --init --recursive",
        )


def _lay_out(layer: Layer, target: Path, work: Path, seconds: int) -> None:
    """Write what the build takes from one repository, and from its submodules, into an empty folder."""
    found = layer.repository
    _fetch(layer)
    with index.of(found, layer.commit, beside=work) as scratch:
        scratch.check_out(found.prefix + one.name for one in layer.entries)
        folder = scratch.files / found.prefix
        folder.mkdir(parents=True, exist_ok=True)
        for one in layer.taken:
            _copy(one, found.folder, folder)
        _convert(layer, scratch)
        _settle(folder, seconds, {folder / one.name for one in layer.taken})
        target.rmdir()
        folder.rename(target)
    for module in layer.modules:
        if module.layer is not None:
            place = target / module.name
            place.mkdir(parents=True)
            _lay_out(module.layer, place, work, seconds)


def _copy(taken: Taken, source: Path, target: Path) -> None:
    """Copy a file of the working tree, if it still is what the source's hash says."""
    path, copy = source / taken.name, target / taken.name
    copy.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileNotFoundError):
        shutil.copy2(path, copy, follow_symlinks=False)
    if not os.path.lexists(copy) or layers.digest_of(copy, taken.mode) != taken.digest:
        raise SourceError(
            "a file was changed while curtainup was at work",
            where=str(path),
            consequence="the version would not say what was built, so nothing was built",
            fix="run the same command again",
        )
    if taken.mode != LINK:
        copy.chmod(0o755 if taken.mode == EXECUTABLE else 0o644)


def _convert(layer: Layer, scratch: Index) -> None:
    """Put the content of files of Git LFS in the place of their pointers; refuse files that are encrypted.

    No other filter is run, because it is no part of the commit: another clone may have another one, or none.
    """
    found = layer.repository
    names = [*(one.name for one in layer.entries), *(one.name for one in layer.taken)]
    if "filter=" not in layer.rules and not any(name.endswith(ATTRIBUTES) for name in names):
        return
    filters = scratch.attribute("filter", [found.prefix + name for name in names], committed=False)
    filtered = {name: filters[found.prefix + name] for name in names}
    _fill(found, scratch, [name for name, value in filtered.items() if value == LARGE])
    others = [name for name, value in filtered.items() if value not in {LARGE, *NONE}]
    _require_readable([name for name in others if _is_encrypted(scratch.files / found.prefix / name)])


def _fill(found: Repository, scratch: Index, names: Sequence[str]) -> None:
    missing = []
    for name in names:
        path = scratch.files / found.prefix / name
        wanted = large_files.pointer(path)
        if wanted is None:
            continue
        places = (large_files.stored(found.large_files, wanted), found.folder / name)
        if not large_files.fill(path, wanted, places):
            missing.append(name)
    if missing:
        raise large_files.missing(found.folder, missing)


def _require_readable(encrypted: Sequence[str]) -> None:
    if encrypted:
        raise SourceError(
            "git holds files that a filter has encrypted",
            where=", ".join(encrypted[:5]) + (" …" if len(encrypted) > 5 else ""),
            consequence="curtainup builds what git holds, and no service could read it, so nothing was built",
            fix="pass secrets by `env_secrets`, or deploy the tree, unlocked, as it is with --dirty",
        )


def _is_encrypted(path: Path) -> bool:
    if path.is_symlink():
        return False
    with path.open("rb") as stream:
        return stream.read(LONGEST).startswith(ENCRYPTED)


def _settle(folder: Path, seconds: int, taken: Set[Path]) -> None:
    """Give files and folders git's modes, and the time of the commit to all but those of the working tree."""
    for place, folders, files in os.walk(folder):
        for path in (*(Path(place, name) for name in (*folders, *files)), Path(place)):
            if not path.is_symlink():
                plain = path.is_file() and not path.stat().st_mode & stat.S_IXUSR
                path.chmod(0o644 if plain else 0o755)
            if path not in taken:
                os.utime(path, (seconds, seconds), follow_symlinks=False)


def _fetch(layer: Layer) -> None:
    """Get the objects that a partial clone lacks, all at once."""
    found = layer.repository
    if not found.promisor:
        return
    tree = f"{layer.commit}:{found.prefix}"
    listed = found.git.ask("rev-list", "--objects", "--missing=print", "--no-object-names", tree).text
    lacking = [line[1:] for line in listed.splitlines() if line.startswith("?")]
    if not lacking:
        return
    done = found.git.run("fetch", *FETCH, found.promisor, given="\n".join(lacking).encode())
    if done.code:
        raise SourceError(
            f"this clone is partial, and {len(lacking)} of the commit's files could not be fetched",
            where=str(found.folder),
            consequence="the image would lack them, so nothing was built",
            fix=f"git -C {found.folder} fetch {found.promisor} must work here; then run this command again",
            detail=done.err or None,
        )
