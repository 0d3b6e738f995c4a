"""How a command ends that fails: its error in words, and its exit code."""

from __future__ import annotations

import sys
from collections.abc import Callable

from curtainup.errors import CurtainupError


def ours(error: Exception) -> CurtainupError:
    """Return any error as one that tells an operator where things stand."""
    if isinstance(error, CurtainupError):
        return error
    if isinstance(error, OSError):
        from curtainup.util import full_disk

        return full_disk.full(error) or _unexpected(error)
    return _unexpected(error)


def show(error: CurtainupError) -> None:
    """Print an error to standard error."""
    from curtainup.reporting import render_error

    print(render_error(error), file=sys.stderr)


def told(work: Callable[[], object], on_error: Callable[[CurtainupError], None]) -> int:
    """Do some work; return its exit code, and print the error that has ended it.

    Args:
        work: what to do.
        on_error: also receives that error, without secrets.

    """
    try:
        work()
    except Exception as error:
        found = ours(error)
        show(found)
        on_error(found)
        return found.exit_code
    return 0


def _unexpected(error: Exception) -> CurtainupError:
    import traceback

    return CurtainupError(
        f"curtainup itself failed: {type(error).__name__}: {error}",
        consequence="a deployment that was under way may have stopped half-way",
        fix="curtainup status shows what serves; the next `curtainup deploy` goes on from there",
        detail="".join(traceback.format_exception(error)),
    )
