"""The engine processes that curtainup has started on this machine.

A lock of Pulumi names its holder by process id and host name. Neither says enough: a container has process
ids of its own, and machines that were made alike have one name. So each process is noted here with what it
ran in. The note outlives a driver that is killed, and any HOME: it says whose a lock was that is left behind.
"""

from __future__ import annotations

import json
import os
import socket
import stat
import tempfile
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

KEPT = 30 * 24 * 3600
"""Seconds for which the note of a process that never ended well is kept."""
FIRST_NAMESPACE = 0xEFFFFFFC
"""PROC_PID_INIT_INO: the namespace in which every process of a machine has an id."""


@dataclass(frozen=True)
class Started:
    """A process, and where and when it was started.

    Attributes:
        pid: its id, in its namespace.
        hostname: as Pulumi's locks name the machine.
        boot: what the kernel calls the time since the machine started.
        namespace: the PID namespace, an inode.
        at: seconds of the epoch.

    """

    pid: int
    hostname: str
    boot: str
    namespace: int
    at: float


def here(pid: int) -> Started:
    """Return a process that this one has just started."""
    return Started(pid, socket.gethostname(), boot(), namespace(), time.time())


def note(pid: int) -> None:
    """Note a process; where that cannot be written, its lock is later left to a person."""
    with suppress(OSError):
        folder = _folder()
        folder.parent.mkdir(exist_ok=True, mode=0o700)
        folder.mkdir(exist_ok=True, mode=0o700)
        if _is_own(folder):
            _drop_old(folder)
            _file(folder, pid).write_text(json.dumps(asdict(here(pid))))


def forget(pid: int) -> None:
    """Forget a process that has ended, and with it its lock."""
    with suppress(OSError):
        _file(_folder(), pid).unlink()


def find(pid: int) -> list[Started]:
    """Return what is noted of processes with that id."""
    folder, found = _folder(), []
    if not _is_own(folder):
        return []
    for file in folder.glob(f"*-{pid}.json"):
        with suppress(OSError, ValueError, TypeError):
            found.append(Started(**json.loads(file.read_text())))
    return found


def boot() -> str:
    """Return the kernel's random id of this boot; empty where it is not told."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def namespace() -> int:
    """Return the PID namespace of this process; 0 where it is not told."""
    try:
        return Path("/proc/self/ns/pid").stat().st_ino
    except OSError:
        return 0


def sees_every_process() -> bool:
    """Return whether every process of this machine, those in containers too, has an id here."""
    return namespace() == FIRST_NAMESPACE


def users_folder() -> Path | None:
    """Return a folder that all of a user's runs on this machine share; None if it may be somebody else's."""
    folder = _folder().parent
    with suppress(OSError):
        folder.mkdir(exist_ok=True, mode=0o700)
    return folder if _is_alone_in(folder) else None


def _folder() -> Path:
    """Return a folder that all of a user's runs on this machine share, whatever their HOME is."""
    return Path(tempfile.gettempdir()) / f"curtainup-{os.getuid()}" / "engines"


def _is_own(folder: Path) -> bool:
    """Return whether nobody else could have written the notes: the folder above is anybody's."""
    return _is_alone_in(folder.parent, folder)


def _is_alone_in(*folders: Path) -> bool:
    """Return whether folders are this user's, and nobody else may write them."""
    try:
        found = [one.lstat() for one in folders]
    except OSError:
        return False
    return all(stat.S_ISDIR(one.st_mode) and one.st_uid == os.getuid() for one in found) and not any(
        one.st_mode & 0o022 for one in found
    )


def _file(folder: Path, pid: int) -> Path:
    return folder / f"{boot()[:8]}-{namespace()}-{pid}.json"


def _drop_old(folder: Path) -> None:
    for file in folder.iterdir():
        with suppress(OSError):
            if time.time() - file.stat().st_mtime > KEPT:
                file.unlink()
