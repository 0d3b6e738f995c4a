"""Files that the tests on this machine can see, and that no build takes because git does not track them."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from curtainup.errors import SourceError
from curtainup.util.git import Git

SHOWN = 5
_TOOLS = frozenset({"__pycache__", "venv", "node_modules"})


def names(folder: Path) -> tuple[str, ...]:
    """Return the files and folders of a service that git neither tracks nor ignores.

    What tools keep in hidden files, caches and virtual environments does not count.
    """
    options = ("--others", "--exclude-standard", "--directory", "--no-empty-directory", "-z")
    try:
        found = Git(folder).as_user().names("ls-files", *options)
    except SourceError:
        return ()
    return tuple(sorted(name for name in found if not _is_a_tools(name)))


def warning(folder: Path) -> str | None:
    """Return a line that names them; None if there are none."""
    found = names(folder)
    if not found:
        return None
    listed = ", ".join(found[:SHOWN]) + (f" and {len(found) - SHOWN} more" if len(found) > SHOWN else "")
    return (
        f"tests on this machine can see files that are not in the image, because git does not track them: "
        f"{listed}; commit them, or list them in .gitignore"
    )


def _is_a_tools(name: str) -> bool:
    parts = PurePosixPath(name).parts
    return any(part.startswith(".") or part in _TOOLS for part in parts) or name.endswith(".pyc")
