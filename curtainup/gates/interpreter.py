"""Finds the Python that runs a service's tests. curtainup's own Python lacks the service's dependencies."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from curtainup.errors import SetupError
from curtainup.gates.models import ImageInterpreter, Interpreter, LocalInterpreter

THREE_WAYS = (
    "give the service a virtual environment (`python -m venv .venv`, then `.venv/bin/python -m pip install "
    "pytest requests` and its requirements), or name a Python that has them with --python, or install "
    "pytest and requests in the image"
)


def find_interpreter(service_dir: Path, configured: str | None) -> Interpreter:
    """Return the configured Python, else the one of the service's `.venv`, else the one in its image.

    Args:
        service_dir: the service's source.
        configured: a path, relative to the service's directory if it is not absolute, or a command on PATH.

    Raises:
        SetupError: the configured Python, or the one of the service's `.venv`, does not exist or is not
            executable.

    """
    if configured is not None:
        return LocalInterpreter(_named(service_dir, configured))
    python = service_dir.absolute() / ".venv" / "bin" / "python"
    if not os.path.lexists(python):
        return ImageInterpreter()
    return LocalInterpreter(_executable(python, "create the service's virtual environment again"))


def _named(service_dir: Path, configured: str) -> Path:
    """Look a command up on PATH. Do not resolve links: a virtual environment's Python is such a link."""
    found = shutil.which(configured) if os.sep not in configured else None
    path = Path(found) if found else service_dir.absolute() / Path(configured).expanduser()
    return _executable(path, "name another with --python, or with `python:` in pym-config.yaml")


def _executable(python: Path, fix: str) -> Path:
    if not (python.is_file() and os.access(python, os.X_OK)):
        raise SetupError(
            "the Python for the service's tests does not exist or is not executable",
            where=str(python),
            consequence="nothing was tested, so nothing was deployed",
            fix=fix,
        )
    return python
