"""What the doctor looks at of a service itself: its secrets, and whose Python runs its tests."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

from curtainup import gates
from curtainup.config import ServiceConfig
from curtainup.config.secrets import needed_secrets
from curtainup.errors import SetupError
from curtainup.gates import Interpreter, LocalInterpreter, ProvidedInterpreter
from curtainup.gates.arguments import ACCEPTANCE_TESTS
from curtainup.model.checks import Found, Piece


def pieces(service_dir: Path, config: ServiceConfig) -> list[Piece]:
    """Return what to look at of a service, wherever it is deployed."""
    found = [Piece("Python for tests", partial(_python, service_dir, config))]
    if needed_secrets(config, builds=True):
        found.insert(0, Piece("secrets", partial(_secrets, config)))
    return found


def _secrets(config: ServiceConfig) -> Found:
    names = needed_secrets(config, builds=True)
    missing = [name for name in names if not os.environ.get(name)]
    if missing:
        raise SetupError(
            f"{', '.join(missing)}: not set here",
            fix="set them where you run curtainup: export " + " ".join(f"{name}=…" for name in missing),
        )
    return Found(None, f"{', '.join(names)}: set")


def _python(service_dir: Path, config: ServiceConfig) -> Found:
    """Tell whose Python runs the tests; what it lacks is lent when a run begins."""
    folders = gates.unit_test_folders(service_dir, config.unit_tests)
    unit = gates.find_interpreter(service_dir, config.python, folders)
    acceptance = gates.find_interpreter(service_dir, config.python, (ACCEPTANCE_TESTS,))
    told = f"unit tests: {_whose(unit) if folders else 'none'}; acceptance tests: {_whose(acceptance)}"
    advice = None
    if not folders and config.unit_tests is None:
        advice = "name the folders of the unit tests with `unit_tests:`, or write `unit_tests: []`"
    return Found(None, told, advice)


def _whose(interpreter: Interpreter | ProvidedInterpreter) -> str:
    if isinstance(interpreter, LocalInterpreter):
        return str(interpreter.python)
    return "curtainup's" if isinstance(interpreter, ProvidedInterpreter) else "that of the image"
