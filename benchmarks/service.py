"""The service that is measured, and the Python that runs its tests."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.e2e.service import EXAMPLES, Service

EXAMPLE = "hello"
KEPT_COMPILED = "PYTHONDONTWRITEBYTECODE"
"""A variable that costs every run seconds, curtainup's and the script's alike; `make` takes it away too."""


def python(folder: Path) -> Path:
    """Return a Python with what the service's tests import: the example's own, else one made in a folder."""
    own = EXAMPLES / EXAMPLE / ".venv" / "bin" / "python"
    if own.is_file():
        return own
    made = folder / "python"
    subprocess.run([sys.executable, "-m", "venv", str(made)], check=True)
    pip = [str(made / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "-r", str(EXAMPLES / EXAMPLE / "requirements-test.txt")], check=True)
    return made / "bin" / "python"


def new(folder: Path, tests_python: Path) -> Service:
    """Return a service in a repository of its own, with a name, ports and state of its own."""
    os.environ.pop(KEPT_COMPILED, None)
    folder.mkdir(parents=True, exist_ok=True)
    return Service(folder, EXAMPLE, tests_python)
