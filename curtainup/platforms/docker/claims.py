"""Claims on ports and networks, from the choice of one until a container has taken it.

Until then it is free for all to see, so two first deployments at once would choose the same. A claim is
a lock on one byte of a file of the user's; the kernel lets go of it when the process ends.
"""

from __future__ import annotations

import fcntl
from functools import cache
from io import FileIO

import platformdirs

NETWORKS = 65536
"""The number of the first network, after those of the ports."""


def claim(number: int) -> bool:
    """Claim a port, or a network by `NETWORKS` and its index, until this process ends.

    Returns:
        False when another process has it.

    """
    try:
        fcntl.lockf(_file(), fcntl.LOCK_EX | fcntl.LOCK_NB, 1, number)
    except BlockingIOError:
        return False
    return True


@cache
def _file() -> FileIO:
    """The file, open for as long as the process lives: closing it would give up every claim."""
    folder = platformdirs.user_cache_path("curtainup")
    folder.mkdir(parents=True, exist_ok=True)
    return FileIO(folder / "claims", "a")
