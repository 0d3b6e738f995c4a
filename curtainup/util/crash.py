"""Finds in what a program wrote the line that explains why it ended."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

TRACEBACK = "Traceback (most recent call last):"
LONGEST = 300
"""Characters of a line that are shown."""
MESSAGE_LINES = 5
"""Lines of an exception's own message that are shown."""
_CONSEQUENCES = ("SystemExit", "KeyboardInterrupt", "HaltServer", "asyncio.exceptions.CancelledError")
"""Exceptions by which servers and interpreters end because of an earlier one."""
_LIBRARIES = re.compile(r'File "[^"]*(site-packages|dist-packages|/lib(64)?/python\d|<frozen )')
_EXCEPTION = re.compile(r"^[A-Za-z_][\w.]*(: .*)?$")
_ERROR = re.compile(
    r"\b(error|fatal|critical|panic|failed|cannot|can't|could not|unable|denied|no such file|not found"
    r"|no module|invalid|refused|in use)\b",
    re.IGNORECASE,
)
_AFTERMATH = re.compile(
    r"Worker \(pid:\d+\)|Worker failed to boot|Worker exiting|Shutting down|Exception in worker process"
    r"|Handling signal|HaltServer|gunicorn\.errors|Application startup failed"
)
_DENIED = re.compile(
    r"PermissionError|Permission denied|EACCES|Operation not permitted|Read-only file system"
)


@dataclass(frozen=True)
class Explanation:
    """Why a program ended.

    Attributes:
        line: the line that says it, such as `KeyError: 'DB_PASSWORD'`.
        excerpt: that line with the frame of the program's own code that leads to it.
        raised: whether it is an exception; else it is a line that speaks of an error.

    """

    line: str
    excerpt: str
    raised: bool = False

    @property
    def is_denied(self) -> bool:
        """Whether the program lacked a permission."""
        return bool(_DENIED.search(self.line))


@dataclass(frozen=True)
class _Raised:
    frames: list[str]
    message: list[str]

    @property
    def line(self) -> str:
        return self.message[0][:LONGEST]


def explanation(output: str) -> Explanation | None:
    """Return what explains the end of a program; None if nothing in its output looks like an explanation.

    An exception counts before any other line, and the last one that is not a server's own reaction to an
    earlier one.
    """
    lines = output.splitlines()
    raised = [one for one in _exceptions(lines) if not _is_consequence(one.line)]
    if raised:
        last = raised[-1]
        return Explanation(last.line, "\n".join([*_own_frames(last.frames), *last.message]), raised=True)
    said = [line.strip() for line in lines if _ERROR.search(line) and not _AFTERMATH.search(line)]
    return Explanation(said[-1][:LONGEST], said[-1][:LONGEST]) if said else None


def _exceptions(lines: Sequence[str]) -> list[_Raised]:
    """Return the exceptions whose tracebacks are in the lines, without what a logger puts before each."""
    found: list[_Raised] = []
    for at, line in enumerate(lines):
        if TRACEBACK in line:
            before = line.index(TRACEBACK)
            raised = _raised([one[before:] for one in lines[at + 1 :]])
            if raised is not None:
                found.append(raised)
    return found


def _raised(lines: Sequence[str]) -> _Raised | None:
    for at, line in enumerate(lines):
        if line.startswith(" ") or not line.strip():
            continue
        if not _EXCEPTION.match(line):
            return None
        message = [line]
        for more in lines[at + 1 : at + MESSAGE_LINES]:
            if not more.strip() or more.startswith("[") or TRACEBACK in more:
                break
            message.append(more)
        return _Raised([one for one in lines[:at] if one.strip()], message)
    return None


def _own_frames(frames: Sequence[str]) -> list[str]:
    """Return the last frame outside of libraries and what follows it up to the next frame."""
    starts = [at for at, line in enumerate(frames) if line.lstrip().startswith('File "')]
    own = [at for at in starts if not _LIBRARIES.search(frames[at])]
    if not own:
        return list(frames[starts[-1] :]) if starts else []
    end = next((at for at in starts if at > own[-1]), len(frames))
    return list(frames[own[-1] : end])


def _is_consequence(line: str) -> bool:
    name = line.partition(":")[0]
    return name.rpartition(".")[2] in _CONSEQUENCES or name in _CONSEQUENCES
