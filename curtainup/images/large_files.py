"""Files of Git LFS: the commit has a pointer, which names the content by its SHA-256.

The pointer's format is in https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md.
"""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from curtainup.errors import SourceError

POINTER = re.compile(
    rb"version https://(?:git-lfs\.github\.com|hawser\.github\.com)/spec/v1\n"
    rb"(?:ext-[^\n]*\n)*oid sha256:(?P<oid>[0-9a-f]{64})\nsize (?P<size>[0-9]+)\n?"
)
LONGEST = 1024
"""Bytes that a pointer has at most."""


@dataclass(frozen=True)
class Pointer:
    """What stands for a file in git: the SHA-256 of its content, and its size in bytes."""

    oid: str
    size: int


def pointer(path: Path) -> Pointer | None:
    """Return the pointer in a file; None if the file is something else."""
    if path.is_symlink() or not path.is_file() or path.stat().st_size > LONGEST:
        return None
    found = POINTER.fullmatch(path.read_bytes().replace(b"\r\n", b"\n"))
    return Pointer(found["oid"].decode(), int(found["size"])) if found else None


def fill(path: Path, wanted: Pointer, places: Sequence[Path]) -> bool:
    """Write the content over its pointer.

    Args:
        path: the file with the pointer.
        wanted: the pointer.
        places: files that may have the content.

    Returns:
        Whether one of them has it.

    """
    for place in places:
        if place.is_file() and place.stat().st_size == wanted.size and _sha256(place) == wanted.oid:
            shutil.copyfile(place, path)
            return True
    return False


def stored(folder: Path, wanted: Pointer) -> Path:
    """Return where Git LFS keeps a content in its folder of objects."""
    return folder / wanted.oid[:2] / wanted.oid[2:4] / wanted.oid


def missing(folder: Path, names: Sequence[str]) -> SourceError:
    """Return the error about files whose content is not on this machine."""
    files = "1 file" if len(names) == 1 else f"{len(names)} files"
    return SourceError(
        f"the content of {files} is in Git LFS, and not on this machine",
        where=", ".join(names[:5]) + (" …" if len(names) > 5 else ""),
        consequence="the image would get pointers instead of files, so nothing was built",
        fix=f"git -C {folder} lfs pull",
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
