"""Reads files within bounds, and writes them so that neither a reader nor a crash leaves half of one."""

from __future__ import annotations

import errno
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MOST = 16 << 20
"""Bytes of a file that has no bound of its own."""


def read_bounded(path: Path, most: int = MOST) -> bytes:
    """Return the content of a regular file.

    Args:
        path: the file. A FIFO or a device could keep a reader waiting for ever, so it is not opened.
        most: the size in bytes above which the file is refused.

    Raises:
        OSError: it cannot be read, is not a regular file, or is larger; `strerror` says which.

    """
    mode = path.stat().st_mode
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not stat.S_ISREG(mode):
        raise OSError(errno.EINVAL, "it is not a regular file", str(path))
    with path.open("rb") as stream:
        content = stream.read(most + 1)
    if len(content) > most:
        raise OSError(errno.EFBIG, f"it is larger than {_size(most)}", str(path))
    return content


def write_atomically(path: Path, text: str, mode: int = 0o644) -> None:
    """Replace a file's text in one step; only set the mode if the file already has that text."""
    content = text.encode()
    if path.is_file() and path.read_bytes() == content:
        path.chmod(mode)
        return
    with _beside(path) as temporary:
        temporary.write_bytes(content)
        temporary.chmod(mode)
        temporary.replace(path)


def create_durably(path: Path, text: str) -> None:
    """Create a file that only its owner can read, whole or not at all; an existing file stays as it is.

    The text and its name are on the disk when this returns, so no crash takes them away.
    """
    with _beside(path) as temporary:
        with temporary.open("wb") as stream:
            stream.write(text.encode())
            stream.flush()
            os.fsync(stream.fileno())
        try:
            os.link(temporary, path)
        except FileExistsError:
            return
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


@contextmanager
def _beside(path: Path) -> Iterator[Path]:
    """Yield an empty file with mode 0600 in the folder of `path`, which is gone afterwards."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    os.close(descriptor)
    temporary = Path(name)
    try:
        yield temporary
    except OSError as error:
        error.filename = error.filename or str(path)
        raise
    finally:
        temporary.unlink(missing_ok=True)


def _size(count: int) -> str:
    return f"{count >> 20} MiB" if count >= 1 << 20 else f"{count >> 10} KiB"


def private_folder(folder: Path) -> Path:
    """Make a folder that only this user may enter, or make it so; return it."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder.chmod(0o700)
    return folder
