"""Makes an interpreter ready for tests before anything is built, and lends it pytest and requests."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path, PurePath

from curtainup.errors import SetupError
from curtainup.gates.interpreter import THREE_WAYS
from curtainup.gates.models import ImageInterpreter, Interpreter, LocalInterpreter, ProvidedInterpreter
from curtainup.gates.variables import deployers_variables
from curtainup.setup import test_python

SECONDS = 60
"""How long a Python may take to say what it has."""
_ASK = (
    "from importlib.util import find_spec; "
    "print(*(name for name in ('pytest', 'requests') if find_spec(name) is None), sep=',')"
)
_RUN = (
    "import runpy, sys; sys.version_info >= (3, 11) and sys.path.append({folder!r}); "
    "runpy.run_module('pytest', run_name='__main__', alter_sys=True)"
)
"""What is lent comes last on the path, so that the interpreter's own packages stay in force."""


def ready(interpreter: Interpreter | ProvidedInterpreter, report: Callable[[str], None]) -> Interpreter:
    """Return the interpreter with what it lacks for tests.

    Args:
        interpreter: as it was chosen.
        report: gets a line when curtainup makes its environment for tests.

    Raises:
        SetupError: it does not start, or lacks pytest or requests and cannot get them.

    """
    match interpreter:
        case ProvidedInterpreter():
            return LocalInterpreter(test_python.ensure(report))
        case ImageInterpreter():
            return replace(interpreter, lent=_lent_if_any(report))
        case LocalInterpreter(python):
            missing = _missing(python)
            return replace(interpreter, lent=_lent_for(python, missing, report)) if missing else interpreter


def command(python: str, lent: PurePath | None) -> list[str]:
    """Return the command that starts pytest, with the packages of a folder for those that are missing."""
    return [python, "-m", "pytest"] if lent is None else [python, "-c", _RUN.format(folder=str(lent))]


def _missing(python: Path) -> str:
    try:
        asked = subprocess.run(
            [str(python), "-c", _ASK],
            env=deployers_variables(os.environ, python),
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=True,
        )
    except (OSError, subprocess.SubprocessError) as error:
        said = error.stderr if isinstance(error, subprocess.CalledProcessError) else str(error)
        raise SetupError(
            "the Python for the service's tests does not start",
            where=str(python),
            consequence="nothing was tested, so nothing was deployed",
            fix=THREE_WAYS,
            detail=said.strip() or None,
        ) from error
    return asked.stdout.strip()


def _lent_for(python: Path, missing: str, report: Callable[[str], None]) -> Path:
    try:
        return test_python.packages(report)
    except SetupError as error:
        raise SetupError(
            f"the Python for the service's tests has no {missing.replace(',', ' and no ')}",
            where=str(python),
            consequence="nothing was tested, so nothing was deployed",
            fix=f"{python} -m pip install pytest requests",
            detail=error.detail,
        ) from error


def _lent_if_any(report: Callable[[str], None]) -> Path | None:
    """Return what an image may need; it may have its own."""
    try:
        return test_python.packages(report)
    except SetupError:
        return None
