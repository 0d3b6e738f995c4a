"""Chooses the Python that runs a service's tests."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from curtainup.errors import SetupError
from curtainup.gates.models import ImageInterpreter, Interpreter, LocalInterpreter, ProvidedInterpreter
from curtainup.gates.needs import beyond_pytest

THREE_WAYS = (
    "give the service a virtual environment (`python -m venv .venv`, then `.venv/bin/python -m pip install "
    "pytest requests` and its requirements), or name a Python that has them with --python, or install "
    "pytest and requests in the image"
)


ENVIRONMENTS = (".venv", "venv")
"""Where services keep their virtual environment; only the first counts when it is broken."""


def find_interpreter(
    service_dir: Path, configured: str | None, tests: Iterable[str]
) -> Interpreter | ProvidedInterpreter:
    """Choose the Python for the tests of some folders.

    It is the configured one, else that of the service's virtual environment, else curtainup's own if the
    tests need only pytest and requests, else the one in the service's image.

    Args:
        service_dir: the service's source.
        configured: a path, relative to the service's directory if it is not absolute, or a command on PATH.
        tests: the folders, relative to the service's directory.

    Raises:
        SetupError: the configured Python, or the one of the service's `.venv`, does not exist or is not
            executable.

    """
    if configured is not None:
        return LocalInterpreter(_named(service_dir, configured))
    for name in ENVIRONMENTS:
        environment = service_dir.absolute() / name
        python = environment / "bin" / "python"
        if os.path.lexists(python) and (name == ENVIRONMENTS[0] or (environment / "pyvenv.cfg").is_file()):
            return LocalInterpreter(_executable(python, "create the service's virtual environment again"))
    if any(beyond_pytest(service_dir, folder) for folder in tests):
        return ImageInterpreter()
    return ProvidedInterpreter()


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
