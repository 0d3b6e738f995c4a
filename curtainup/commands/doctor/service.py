"""What the doctor looks at of a service itself: its secrets, whose Python runs its tests, and its metrics."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

from curtainup import gates
from curtainup.config import ServiceConfig
from curtainup.config.canary_metrics import PLACEHOLDERS, variables_of
from curtainup.config.secrets import needed_secrets
from curtainup.errors import SetupError
from curtainup.gates import Interpreter, LocalInterpreter, ProvidedInterpreter
from curtainup.gates.arguments import ACCEPTANCE_TESTS
from curtainup.model.checks import Found, Piece
from curtainup.model.names import LIVE

NOBODY = "r0000000"
"""Stands for a release that is not there."""


def pieces(service_dir: Path, config: ServiceConfig) -> list[Piece]:
    """Return what to look at of a service, wherever it is deployed."""
    found = [Piece("Python for tests", partial(_python, service_dir, config))]
    if needed_secrets(config, builds=True):
        found.insert(0, Piece("secrets", partial(_secrets, config)))
    if config.for_environment(LIVE).canary_metrics:
        found.append(Piece("metrics server", partial(_metrics, service_dir, config), deploys=True))
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


def _metrics(service_dir: Path, config: ServiceConfig) -> Found:
    """Ask every query of live's canary once, for a release that is none: no data is no mistake."""
    from curtainup.environments import metrics_server
    from curtainup.pipeline import measuring

    live = config.for_environment(LIVE)
    missing = [name for name in variables_of(live) if not os.environ.get(name)]
    if missing:
        raise SetupError(f"{', '.join(missing)}: not set here", fix="set them, as for the secrets above")
    server = metrics_server.of(live, service_dir, lambda name: os.environ[name], _google_token)
    values = dict.fromkeys(PLACEHOLDERS, NOBODY) | {"window": f"{live.canary_every or 60}s", "since": "0"}
    measuring.try_queries(server, live.canary_metrics, values)
    names = ", ".join(one.name for one in live.canary_metrics)
    return Found(None, f"{server.url} answers the queries of {names}")


def _google_token() -> str:
    from curtainup.platforms.google.account import RealGoogle

    return RealGoogle().access_token()


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
