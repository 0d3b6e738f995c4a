"""The AWS query protocol: parameters in, XML out, according to the service models in botocore.

Follows the AWS Query protocol of the Smithy specification; botocore's serializer and parser are the other
end of it.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

if TYPE_CHECKING:
    from botocore.model import OperationModel, ServiceModel


@cache
def model(service: str) -> ServiceModel:
    """Return botocore's model of a service, such as `elasticbeanstalk`."""
    from botocore.loaders import Loader
    from botocore.model import ServiceModel

    return ServiceModel(Loader().load_service_model(service, "service-2"), service)


def arguments(shape: Any, parameters: Mapping[str, str], prefix: str = "") -> Any:
    """Read an operation's input from the request's parameters, without those that were not given.

    Args:
        shape: the shape of the input.
        parameters: the parameters by dotted name, such as `EnvironmentNames.member.1`.
        prefix: the part of the dotted name that has already been read.

    """
    if shape is None:
        return {}
    if shape.type_name == "structure":
        found = {
            name: arguments(member, parameters, f"{prefix}{name}")
            for name, member in shape.members.items()
            if _is_given(parameters, f"{prefix}{name}")
        }
        return found if not prefix else {**found}
    if shape.type_name == "list":
        return _items(shape, parameters, f"{prefix}.member.")
    text = parameters[prefix]
    if shape.type_name == "boolean":
        return text == "true"
    return int(text) if shape.type_name == "integer" else text


def answer(operation: OperationModel, output: Mapping[str, Any]) -> bytes:
    """Return the response's XML."""
    namespace = str(operation.service_model.metadata.get("xmlNamespace", ""))
    root = ET.Element(f"{operation.name}Response", {"xmlns": namespace})
    shape = operation.output_shape
    if shape is not None:
        wrapper = str(shape.serialization.get("resultWrapper", f"{operation.name}Result"))
        _fill(ET.SubElement(root, wrapper), shape, output)
    metadata = ET.SubElement(root, "ResponseMetadata")
    ET.SubElement(metadata, "RequestId").text = str(uuid.uuid4())
    return bytes(ET.tostring(root))


def refusal(code: str, message: str, namespace: str = "") -> bytes:
    """Return the XML of an error that the caller made."""
    root = ET.Element("ErrorResponse", {"xmlns": namespace} if namespace else {})
    error = ET.SubElement(root, "Error")
    for name, text in (("Type", "Sender"), ("Code", code), ("Message", message)):
        ET.SubElement(error, name).text = text
    ET.SubElement(root, "RequestId").text = str(uuid.uuid4())
    return bytes(ET.tostring(root))


def _is_given(parameters: Mapping[str, str], name: str) -> bool:
    return any(key == name or key.startswith(f"{name}.") for key in parameters)


def _items(shape: Any, parameters: Mapping[str, str], prefix: str) -> list[Any]:
    member = shape.member
    given = {key.removeprefix(prefix).split(".")[0] for key in parameters if key.startswith(prefix)}
    return [_item(member, parameters, f"{prefix}{number}") for number in sorted(given, key=int)]


def _item(shape: Any, parameters: Mapping[str, str], name: str) -> Any:
    return arguments(shape, parameters, f"{name}." if shape.type_name == "structure" else name)


def _fill(element: ET.Element, shape: Any, value: Any) -> None:
    if shape.type_name == "structure":
        for name, member in shape.members.items():
            if value.get(name) is not None:
                tag = str(member.serialization.get("name", name))
                _fill(ET.SubElement(element, tag), member, value[name])
    elif shape.type_name == "list":
        for one in value:
            _fill(ET.SubElement(element, "member"), shape.member, one)
    else:
        element.text = _text(value)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
    return str(value)
