"""Claims on ports and networks, held from the choice of one until a container uses it.

Until then a port looks free to everybody, so two simultaneous first deployments would choose the same one. A
claim is a lock on one byte of a file. All users of this machine share the file, as they share the ports. The
kernel releases the lock when the process ends.
"""

from __future__ import annotations

import fcntl
import os
import stat
from functools import cache
from pathlib import Path

import platformdirs

FILE = Path("/tmp/curtainup-claims")  # noqa: S108 - for all users, whatever TMPDIR one of them has

NETWORKS = 65536
"""The number of the first network; smaller numbers are ports."""


def claim(number: int) -> bool:
    """Claim a port, or a network by `NETWORKS` and its index, until this process ends.

    Returns:
        False if another process has claimed it.

    """
    try:
        fcntl.lockf(_file(), fcntl.LOCK_EX | fcntl.LOCK_NB, 1, number)
    except BlockingIOError:
        return False
    return True


@cache
def _file() -> int:
    """Return the descriptor of the file, open while the process lives: a close would drop all claims.

    It is a file of this user alone if the shared one cannot be used.
    """
    try:
        return _shared(FILE)
    except OSError:
        folder = platformdirs.user_cache_path("curtainup")
        folder.mkdir(parents=True, exist_ok=True)
        return os.open(folder / "claims", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _shared(path: Path) -> int:
    """Open the shared file; whoever comes first makes it, for everybody.

    Raises:
        OSError: it cannot be opened, or something else has its name.

    """
    flags = os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
    try:
        descriptor = os.open(path, flags | os.O_CREAT | os.O_EXCL, 0o666)
        os.fchmod(descriptor, 0o666)
    except FileExistsError:
        descriptor = os.open(path, flags)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(f"{path} is no regular file")
    return descriptor
