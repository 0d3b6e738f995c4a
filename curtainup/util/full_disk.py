"""What keeps a file from being written that no edit mends: no space, no inodes, a quota, a read-only disk."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import platformdirs

from curtainup.errors import DiskFull

_NO_TEMPORARY = "No usable temporary directory"
"""What Python says when it can write in none of them; that error has another number."""


@contextmanager
def told() -> Iterator[None]:
    """Raise DiskFull for an OSError that says so, with the place."""
    try:
        yield
    except OSError as error:
        found = full(error)
        if found is None:
            raise
        raise found from error


def full(error: OSError) -> DiskFull | None:
    """Return what to tell of an error in writing a file; None if it is no matter of the disk."""
    what = _said(error)
    if what is None:
        return None
    return DiskFull(
        what,
        where=_where(error),
        consequence="the run stops here; what it had begun is undone, or the next one goes on from it",
        fix="free some space (`df -h`, `df -i` and `docker system df` show what is used), and run it again"
        if error.errno != errno.EROFS
        else "make the disk writable (`mount` shows how it is mounted), and run the command again",
        detail=str(error),
    )


def _said(error: OSError) -> str | None:
    text = str(error)
    if error.errno == errno.EROFS:
        return "the disk is read-only"
    if error.errno == errno.EDQUOT or "Disk quota exceeded" in text:
        return "the disk quota is used up"
    if error.errno == errno.ENOSPC or "No space left on device" in text or _NO_TEMPORARY in text:
        return "no space is left on the disk"
    return None


def _where(error: OSError) -> str:
    """Return the file; an error in the middle of one does not name it, so the disks are looked at."""
    named = error.filename2 or error.filename
    if named:
        return os.fsdecode(named) if isinstance(named, str | bytes) else str(named)
    return ", ".join(str(one) for one in _places() if _is_full(one)) or "a file that the system does not name"


def _places() -> list[Path]:
    """Return the folders in which curtainup writes."""
    places = [Path.cwd(), platformdirs.user_data_path("curtainup"), platformdirs.user_cache_path("curtainup")]
    with suppress(OSError):
        places.append(Path(tempfile.gettempdir()))
    return places


def _is_full(folder: Path) -> bool:
    """Return whether the disk of a folder, or of the nearest one above that exists, takes no further file."""
    there = next((one for one in (folder, *folder.parents) if one.exists()), Path("/"))
    found = os.statvfs(there)
    return found.f_bavail == 0 or (found.f_files > 0 and found.f_favail == 0)
