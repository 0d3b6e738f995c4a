"""Where a file is really kept."""

from __future__ import annotations

from pathlib import Path

SHARED = (
    "nfs",
    "cifs",
    "smb",
    "9p",
    "virtiofs",
    "fuse",
    "ceph",
    "glusterfs",
    "lustre",
    "afs",
    "ocfs2",
    "gfs2",
)
"""The beginnings of the names of file systems that other machines may write."""


def is_local(path: Path) -> bool:
    """Return whether only this machine writes the file system of a file; false where that is not known."""
    kind = file_system(path)
    return kind is not None and not kind.startswith(SHARED)


def file_system(path: Path) -> str | None:
    """Return the type of the file system of a file, such as `ext4`; None where that is not known."""
    try:
        return _kind(path.resolve(), Path("/proc/self/mountinfo").read_text().splitlines())
    except (OSError, ValueError, IndexError):
        return None


def _kind(path: Path, mountinfo: list[str]) -> str:
    """Return the type of the file system that a path is on, by proc(5)'s `mountinfo`.

    Raises:
        ValueError: no mount contains the path.

    """
    mounts = {}
    for line in mountinfo:
        place, _, details = line.partition(" - ")
        mounts[_unescaped(place.split()[4])] = details.split()[0]
    points = [point for point in mounts if path.is_relative_to(point)]
    return mounts[max(points, key=len)]


def _unescaped(text: str) -> str:
    for escape, character in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        text = text.replace(escape, character)
    return text
