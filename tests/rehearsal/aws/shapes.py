"""What botocore says of a stand-in's answers: a judge that does not share our beliefs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from botocore.model import OperationModel
from botocore.validate import ParamValidator

from curtainup.rehearsal.aws import query_protocol
from curtainup.rehearsal.aws.endpoint import Account, Call


def faults_of(operation: OperationModel, answer: Mapping[str, Any]) -> str:
    """Return what of an answer the service's model does not have, or has otherwise; empty if nothing."""
    shape = operation.output_shape
    if shape is None:
        return f"{operation.name} answers nothing, not {answer}" if answer else ""
    given = {name: value for name, value in answer.items() if value is not None}
    return str(ParamValidator().validate(given, shape).generate_report())


def require(operation: OperationModel, answer: Mapping[str, Any]) -> None:
    """Check an answer.

    Raises:
        AssertionError: it is none that the service could give.

    """
    wrong = faults_of(operation, answer)
    assert not wrong, f"{operation.name}: {wrong}"


def judged(answer: Any) -> Any:
    """Return `query_protocol.answer`, which checks what it is given."""

    def checked(operation: OperationModel, output: Mapping[str, Any]) -> bytes:
        require(operation, output)
        found: bytes = answer(operation, output)
        return found

    return checked


def judged_json(answer: Any) -> Any:
    """Return `Account._json`, which checks what it gives."""

    def checked(self: Account, call: Call) -> Mapping[str, Any]:
        found: Mapping[str, Any] = answer(self, call)
        operation = query_protocol.model(call.service).operation_model(call.target.rpartition(".")[2])
        require(operation, found)
        return found

    return checked
