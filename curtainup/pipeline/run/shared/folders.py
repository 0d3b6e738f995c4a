"""The lock of a state in files: in a folder beside the state's own, `curtainup-locks`."""

from __future__ import annotations

import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from curtainup.errors import StateError
from curtainup.pipeline.run.holder import Holder, from_json, in_json
from curtainup.pipeline.run.shared.place import Taken
from curtainup.util.files import read_bounded, write_atomically

FOLDER = "curtainup-locks"


class LocalFolder:
    """On a file system of this machine: the kernel has the lock, and lets go of it when a process ends."""

    def __init__(self, state: Path, service: str) -> None:
        self._file = state / FOLDER / f"{service}.lock"
        self._note = state / FOLDER / f"{service}.holder.json"
        self._descriptor: int | None = None
        self.where = f"lock {self._file}"

    def take(self, this: Holder) -> bool:
        """Take the lock, unless a process has it; see `Place`.

        Raises:
            StateError: the folder or the file cannot be made.

        """
        with _told(self._file):
            descriptor = _opened(self._file)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(descriptor)
                return False
            self._descriptor = descriptor
            write_atomically(self._note, in_json(this))
        return True

    def taken(self) -> Taken | None:
        """Return who has the lock; see `Place`."""
        if self._descriptor is None and not self._is_held():
            return None
        try:
            return Taken(from_json(read_bounded(self._note).decode(errors="replace")))
        except OSError:
            return Taken(None)

    def drop(self, found: Taken) -> bool:  # noqa: ARG002 - nobody else's can be taken away
        """Give this process's own lock back; another one's goes when its process ends."""
        if self._descriptor is None:
            return False
        self._note.unlink(missing_ok=True)
        os.close(self._descriptor)
        self._descriptor = None
        return True

    def _is_held(self) -> bool:
        try:
            descriptor = os.open(self._file, os.O_RDONLY)
        except OSError:
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        else:
            return False
        finally:
            os.close(descriptor)


class SharedFolder:
    """On a file system that other machines write too: a file that only one of them can make."""

    def __init__(self, state: Path, service: str) -> None:
        self._file = state / FOLDER / f"{service}.json"
        self.where = f"lock {self._file}"

    def take(self, this: Holder) -> bool:
        """Take the lock, unless somebody has it; see `Place`.

        Raises:
            StateError: the file cannot be made.

        """
        with _told(self._file):
            _make_folder(self._file.parent)
            try:
                descriptor = os.open(self._file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644)
            except FileExistsError:
                return False
            try:
                with os.fdopen(descriptor, "w") as stream:
                    stream.write(in_json(this))
                    stream.flush()
                    os.fsync(stream.fileno())
            except OSError:
                self._file.unlink(missing_ok=True)
                raise
        return True

    def taken(self) -> Taken | None:
        """Return who has the lock; see `Place`."""
        try:
            return Taken(from_json(read_bounded(self._file).decode(errors="replace")))
        except FileNotFoundError:
            return None
        except OSError:
            return Taken(None)

    def drop(self, found: Taken) -> bool:
        """Remove the file, if it is still the one that was found."""
        now = self.taken()
        if now != found:
            return now is None
        with suppress(FileNotFoundError), _told(self._file):
            self._file.unlink()
        return True


def _opened(file: Path) -> int:
    """Open a file that may be another user's, and so not writable; make it if there is none."""
    _make_folder(file.parent)
    try:
        return os.open(file, os.O_RDONLY)
    except FileNotFoundError:
        return os.open(file, os.O_RDONLY | os.O_CREAT, 0o644)


def _make_folder(folder: Path) -> None:
    """Make the folder of the locks; whoever may write the state beside it may write it."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileExistsError):
        folder.mkdir()
        folder.chmod(stat.S_IMODE(folder.parent.stat().st_mode))


@contextmanager
def _told(file: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StateError(
            "the lock of the state cannot be written",
            where=str(file),
            consequence="two runs could work on the service at once, so this one did not start",
            fix=f"make {file.parent} a folder that everybody who deploys can write",
            detail=str(error),
        ) from error
