"""Gates: a service's own tests, and the smoke suite, run by the service's own Python."""

from curtainup.gates.interpreter import find_interpreter
from curtainup.gates.models import (
    FailedTest,
    GateRequest,
    GateResult,
    ImageInterpreter,
    Interpreter,
    LocalInterpreter,
    UnitTestRequest,
)
from curtainup.gates.prepared import PreparedGate, prepare_gate
from curtainup.gates.suite import run_gate, run_unit_tests

__all__ = [
    "FailedTest",
    "GateRequest",
    "GateResult",
    "ImageInterpreter",
    "Interpreter",
    "LocalInterpreter",
    "PreparedGate",
    "UnitTestRequest",
    "find_interpreter",
    "prepare_gate",
    "run_gate",
    "run_unit_tests",
]
