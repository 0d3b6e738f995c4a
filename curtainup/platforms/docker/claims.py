"""Claims on ports and networks, held from the choice of one until a container uses it.

Until then a port looks free to everybody, so two simultaneous first deployments would choose the same one. A
claim is a lock on one byte of a file of the user. The kernel releases it when the process ends.
"""

from __future__ import annotations

import fcntl
from functools import cache
from io import FileIO

import platformdirs

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
def _file() -> FileIO:
    """Return the open file. It stays open while the process lives: closing it would drop all claims."""
    folder = platformdirs.user_cache_path("curtainup")
    folder.mkdir(parents=True, exist_ok=True)
    return FileIO(folder / "claims", "a")
