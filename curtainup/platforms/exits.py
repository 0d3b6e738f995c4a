"""What helps when a container has exited, wherever it ran: by its exit code, its log and its user."""

from __future__ import annotations

from curtainup.util import crash
from curtainup.util.crash import Explanation

READ_LINES, SHOWN_LINES = 500, 20
"""How many lines of its log are read for an explanation, and shown if there is none."""

UNREADABLE = "(its log cannot be read: {why})"
MEND = "correct the error that its output names"
EXIT_CODES = {
    0: "its command ended: run the server in the foreground",
    126: "its command is not executable: check CMD in the Dockerfile",
    127: "its command was not found: check CMD in the Dockerfile and that its program is installed",
}


def explanation(log: str) -> Explanation | None:
    """Return what explains an end by its log; None if nothing does, or if the log could not be read."""
    return None if log.startswith(UNREADABLE.partition("{")[0]) else crash.explanation(log)


def fix_of(code: int | None, why: Explanation | None, user: str) -> str:
    """Return what mends a container that exited.

    Args:
        code: its exit code; None if that is not known.
        why: what its log says of its end; None if nothing.
        user: the user that it runs as, as the image or whoever runs it names him.

    """
    if why is not None and why.is_denied:
        return _permission_fix(user)
    if why is not None and why.raised:
        return MEND
    otherwise = MEND if why else "correct the error in its last lines"
    return EXIT_CODES.get(-1 if code is None else code, otherwise)


def fix_of_process(log: str, why: Explanation | None) -> str:
    """Return what mends a process that ended, by the end of its log and what that says of the end."""
    if "exec " in log and "failed" in log:
        return "correct its command in `processes`; check that its program is in the image"
    if why is not None:
        return MEND
    return "correct what it says below; a process has to go on until it gets SIGTERM"


def _permission_fix(user: str) -> str:
    """Return a fix that names the user who lacked the permission."""
    if user.partition(":")[0] in ("root", "0"):
        return (
            "the service runs as user root, but without the capabilities that few services need, and perhaps "
            "on a read-only file system: let it do without this permission"
        )
    return (
        f"the service runs as user {user}, and files that a Dockerfile copies belong to root: give the user "
        f"the permission in the Dockerfile, such as `RUN chown -R {user} PATH`, or write below /tmp"
    )


def excerpt(log: str, why: Explanation | None) -> str:
    """Return the exception that explains the trouble, else the last lines of the log."""
    if why is not None and why.raised:
        return why.excerpt
    return "\n".join(log.splitlines()[-SHOWN_LINES:])
