"""Writing what was planned, and nothing that is there unless somebody said so."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from curtainup.commands.init.models import Plan, PlannedFile
from curtainup.errors import RefusedError
from curtainup.util.files import write_atomically

FIX = "--keep leaves them, --force overwrites them; --dry-run shows what would be written"


def conflicts(files: Sequence[PlannedFile]) -> list[PlannedFile]:
    """Return the planned files in whose place something else is."""
    return [file for file in files if file.state == "differs"]


def refused(files: Sequence[PlannedFile], fix: str = FIX) -> RefusedError:
    """Return the error for files that may not be overwritten."""
    count = "1 file already exists" if len(files) == 1 else f"{len(files)} files already exist"
    return RefusedError(
        f"{count}, with different contents",
        where=", ".join(file.shown for file in files),
        consequence="nothing was written",
        fix=fix,
    )


def write(plan: Plan, overwrite: Callable[[PlannedFile], bool]) -> list[PlannedFile]:
    """Write the planned files; every question is asked before the first is written.

    Args:
        plan: of the service.
        overwrite: asked for each file that is there and differs.

    Returns:
        The files that were written.

    Raises:
        RefusedError: a file cannot be written where it belongs; the ones before it have been.

    """
    chosen = [
        file for file in plan.files if file.state == "new" or (file.state == "differs" and overwrite(file))
    ]
    for file in chosen:
        try:
            file.path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(file.path, file.text)
        except OSError as error:
            raise RefusedError(
                f"{file.shown} cannot be written",
                where=str(file.path),
                consequence="not all files were written",
                fix="make room for it, or make the folder writable, and run the command again",
                detail=str(error),
            ) from error
    return chosen
