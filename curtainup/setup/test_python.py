"""curtainup's own Python for tests: an environment with pytest and requests, made once for each user."""

from __future__ import annotations

import hashlib
import importlib.util
import shutil
import sys
import tempfile
from pathlib import Path

from curtainup.errors import SetupError
from curtainup.setup import paths, process

PACKAGES = ("pytest>=8.3,<10", "requests>=2.32,<3")
SECONDS = 300.0
"""The time limit of an installation."""


def ensure(report: process.Report) -> Path:
    """Return the environment's Python; make the environment if it is not there.

    Without an index of packages, curtainup's own Python serves if it has pytest.

    Args:
        report: gets a line when something is made.

    Raises:
        SetupError: there is none, and it cannot be made.

    """
    python = python_of(_folder())
    if python.exists():
        return python
    report("making an environment with pytest and requests for tests; later runs use it again")
    try:
        _make(_folder(), report)
    except (SetupError, OSError) as error:
        if importlib.util.find_spec("pytest") is not None:
            return Path(sys.executable)
        raise _impossible(error) from error
    return python


def python_of(environment: Path) -> Path:
    """Return the Python of a virtual environment."""
    return environment / "bin" / "python"


def packages(report: process.Report) -> Path:
    """Return the folder of the environment's packages, to lend them to another Python.

    Raises:
        SetupError: there is no environment, and it cannot be made.

    """
    python = ensure(report)
    if not python.is_relative_to(_folder()):
        raise SetupError("curtainup's environment for tests could not be made")
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    return _folder() / "lib" / version / "site-packages"


def _folder() -> Path:
    """Return the environment's folder: another one for another Python or other packages."""
    made_of = "\n".join([sys.version, sys.base_prefix, *PACKAGES])
    return paths.cache_dir() / "tests-python" / hashlib.sha256(made_of.encode()).hexdigest()[:12]


def _make(folder: Path, report: process.Report) -> None:
    """Make it beside its place and move it there, so that nobody meets half of one."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".making-") as place:
        made = Path(place) / "environment"
        clean = {"PYTHONPATH": "", "PYTHONHOME": ""}
        own_pip = importlib.util.find_spec("pip") is not None
        venv: list[str | Path] = [sys.executable, "-m", "venv", *(["--without-pip"] if own_pip else []), made]
        process.run(venv, "making an environment for tests", report, timeout=SECONDS, env=clean)
        python = python_of(made)
        pip: list[str | Path] = (
            [sys.executable, "-m", "pip", "--python", python] if own_pip else [python, "-m", "pip"]
        )
        quiet = ("--quiet", "--disable-pip-version-check", "--no-input")
        install: list[str | Path] = [*pip, "install", *quiet, *PACKAGES]
        process.run(install, "installing pytest and requests", report, timeout=SECONDS, env=clean)
        try:
            made.rename(folder)
        except OSError:
            if not python_of(folder).exists():
                shutil.rmtree(folder, ignore_errors=True)
                made.rename(folder)


def _impossible(error: Exception) -> SetupError:
    detail = error.detail or error.what if isinstance(error, SetupError) else str(error)
    return SetupError(
        "there is no Python with pytest for the service's tests, and none could be made",
        where=str(_folder()),
        consequence="nothing was tested, so nothing was deployed",
        fix="give the service an environment: python3 -m venv .venv && .venv/bin/python -m pip install "
        "pytest requests; or name a Python that has them with --python",
        detail=detail,
    )
