"""Gates: a service's own tests, and the smoke suite, run by the service's own Python."""

from curtainup.gates.arguments import unit_test_folders
from curtainup.gates.forks import Forks
from curtainup.gates.interpreter import find_interpreter
from curtainup.gates.lending import ready
from curtainup.gates.models import (
    FailedTest,
    GateRequest,
    GateResult,
    ImageInterpreter,
    Interpreter,
    LocalInterpreter,
    ProvidedInterpreter,
    UnitTestRequest,
)
from curtainup.gates.suite import run_gate, run_unit_tests

__all__ = [
    "FailedTest",
    "Forks",
    "GateRequest",
    "GateResult",
    "ImageInterpreter",
    "Interpreter",
    "LocalInterpreter",
    "ProvidedInterpreter",
    "UnitTestRequest",
    "find_interpreter",
    "ready",
    "run_gate",
    "run_unit_tests",
    "unit_test_folders",
]
