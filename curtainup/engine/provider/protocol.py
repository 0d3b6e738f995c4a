"""Pulumi's provider protocol: the generated messages, and their values as plain Python.

The messages come from the SDK's own package, but the SDK itself is not loaded: that would cost every
operation 0.15 s (docs/adr/0002-traffic-switch.md).
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

from google.protobuf.any_pb2 import Any as Packed
from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from google.protobuf.struct_pb2 import Struct, Value

# `constant.UnknownStringValue` of the engine: the value is not known before the update.
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"

_PACKAGE = "curtainup_pulumirpc"


def message_module(name: str) -> Any:
    """Return one of the SDK's generated modules, such as `provider_pb2`."""
    if _PACKAGE not in sys.modules:
        spec = find_spec("pulumi")
        if spec is None or spec.origin is None:
            raise ModuleNotFoundError("the Pulumi SDK is not installed")
        package = ModuleType(_PACKAGE)
        package.__path__ = [str(Path(spec.origin).parent / "runtime" / "proto")]
        sys.modules[_PACKAGE] = package
    return import_module(f"{_PACKAGE}.{name}")


def _status_type() -> type[Message]:
    """Return `google.rpc.Status` under a name of our own, in a pool of its own.

    Both the Pulumi SDK and Google's libraries register the original name, which a process can have only once.
    """
    kinds, labels = FieldDescriptorProto.Type, FieldDescriptorProto.Label
    file = FileDescriptorProto(name="curtainup/status.proto", package="curtainup", syntax="proto3")
    message = file.message_type.add(name="Status")
    message.field.add(name="code", number=1, type=kinds.TYPE_INT32, label=labels.LABEL_OPTIONAL)
    message.field.add(name="message", number=2, type=kinds.TYPE_STRING, label=labels.LABEL_OPTIONAL)
    # Packed messages; on the wire a message is its bytes.
    message.field.add(name="details", number=3, type=kinds.TYPE_BYTES, label=labels.LABEL_REPEATED)
    pool = DescriptorPool()
    pool.Add(file)
    return GetMessageClass(pool.FindMessageTypeByName("curtainup.Status"))


Status: Any = _status_type()


def status_details(code: int, message: str, detail: Message) -> tuple[tuple[str, bytes], ...]:
    """Return the trailing metadata with which a failed call carries more than a text."""
    packed = Packed()
    packed.Pack(detail)
    told = Status(code=code, message=message, details=[packed.SerializeToString()])
    return (("grpc-status-details-bin", told.SerializeToString()),)


def plain(message: Struct) -> dict[str, Any]:
    """Return a message's properties; whole numbers are ints, unknown ones are `UNKNOWN`."""
    return {name: _plain(value) for name, value in message.fields.items()}


def struct(properties: Mapping[str, Any]) -> Struct:
    """Return properties as a message."""
    message = Struct()
    message.update(dict(properties))
    return message


def has_unknown(value: Any) -> bool:
    """Whether any part of a property is not known yet."""
    if isinstance(value, Mapping):
        return any(has_unknown(part) for part in value.values())
    if isinstance(value, list):
        return any(has_unknown(part) for part in value)
    return bool(value == UNKNOWN)


def differences(old: Any, new: Any, path: str = "") -> dict[str, str]:
    """Return the difference at each property path: a name of `PropertyDiff.Kind`."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        pairs = {_joined(path, name): (old.get(name), new.get(name)) for name in {**old, **new}}
    elif isinstance(old, list) and isinstance(new, list):
        longest = range(max(len(old), len(new)))
        pairs = {f"{path}[{index}]": (_at(old, index), _at(new, index)) for index in longest}
    else:
        return {} if old == new else {path: _kind(old, new)}
    found: dict[str, str] = {}
    for name, (before, after) in pairs.items():
        found |= differences(before, after, name)
    return found


def _plain(value: Value) -> Any:
    kind = value.WhichOneof("kind")
    if kind == "struct_value":
        return plain(value.struct_value)
    if kind == "list_value":
        return [_plain(part) for part in value.list_value.values]
    if kind == "number_value":
        number = value.number_value
        return int(number) if number.is_integer() else number
    return None if kind in {None, "null_value"} else getattr(value, kind)


def _kind(old: Any, new: Any) -> str:
    if old is None:
        return "ADD"
    return "DELETE" if new is None else "UPDATE"


def _joined(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _at(items: list[Any], index: int) -> Any:
    return items[index] if index < len(items) else None
