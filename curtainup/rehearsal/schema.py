"""Checking inputs against the SDK's own input types, to refuse what the real provider would refuse.

Every property, at any depth, must exist and have the right type, and required properties must be present.
Values that are not known yet pass.
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Awaitable, Mapping, Sequence
from enum import Enum
from functools import cache
from importlib import import_module
from threading import Lock
from types import NoneType, UnionType
from typing import Any

from curtainup.engine.provider.protocol import UNKNOWN
from curtainup.rehearsal.kind import Failure

_SCALARS: Mapping[type, tuple[type, ...]] = {
    str: (str,),
    bool: (bool,),
    int: (int,),
    float: (int, float),
}


def failures(token: str, inputs: Mapping[str, Any]) -> list[Failure]:
    """Return what is wrong with a resource's inputs.

    Args:
        token: the resource's type token, such as `gcp:cloudrunv2/service:Service`.
        inputs: the inputs as the engine sent them, with assets as objects.

    """
    return _object(arguments(token), inputs, "")


_LOADING = Lock()
"""The SDKs load a module when it is first used, and show a second thread one that is incomplete."""


@cache
def arguments(token: str) -> type:
    """Return the SDK's class of a resource's inputs."""
    package, module, name = token.split(":")
    with _LOADING:
        names = import_module(f"pulumi_{package}.{module.partition('/')[0]}")
        # `…InitArgs` where one of the input's own parts is already called `…Args`.
        found: type = getattr(names, f"{name}InitArgs", None) or getattr(names, f"{name}Args")
    return found


@cache
def provider_properties(package: str) -> frozenset[str]:
    """Return the names of a provider's own configuration, including those that the engine adds."""
    arguments_of_provider = import_module(f"pulumi_{package}").ProviderArgs
    return frozenset(_properties(arguments_of_provider)) | {"version", "pluginDownloadURL"}


@cache
def _properties(kind: type) -> dict[str, tuple[Any, bool]]:
    """Return the type of each property, by name, and whether it is required."""
    from pulumi import _types

    names = _types.input_type_py_to_pulumi_names(kind)
    hints = inspect.signature(kind.__init__).parameters  # type: ignore[misc]
    space = vars(import_module(kind.__module__))
    found = {}
    for python_name, name in names.items():
        parameter = hints[python_name]
        annotation = parameter.annotation
        resolved = eval(annotation, space) if isinstance(annotation, str) else annotation  # noqa: S307
        found[name] = (_Typed(resolved, space), parameter.default is inspect.Parameter.empty)
    return found


class _Typed:
    """A type hint and the names that its forward references stand for."""

    def __init__(self, hint: Any, space: Mapping[str, Any]) -> None:
        self.hint = hint
        self.space = space

    def within(self, hint: Any) -> _Typed:
        return _Typed(hint, self.space)

    def choices(self) -> list[_Typed]:
        """Return the types that a plain value may have: no outputs, no dictionaries in place of objects."""
        hint = self.hint
        if isinstance(hint, str | typing.ForwardRef):
            name = hint if isinstance(hint, str) else hint.__forward_arg__
            if name.startswith("Output["):
                return []
            hint = eval(name, dict(self.space))  # noqa: S307
        origin = typing.get_origin(hint)
        if origin is typing.Union or origin is UnionType:
            return [one for part in typing.get_args(hint) for one in self.within(part).choices()]
        if hint is NoneType or origin is Awaitable or _is_output(origin or hint) or typing.is_typeddict(hint):
            return []
        return [self.within(hint)]


def _is_output(hint: Any) -> bool:
    import pulumi

    return isinstance(hint, type) and issubclass(hint, pulumi.Output)


def _object(kind: type, value: Mapping[str, Any], path: str) -> list[Failure]:
    known = _properties(kind)
    found = [
        Failure(_joined(path, name), f"Missing required property '{name}'")
        for name, (_, required) in known.items()
        if required and value.get(name) is None
    ]
    for name, part in value.items():
        if name.startswith("__"):
            continue
        if name not in known:
            found.append(Failure(_joined(path, name), f"An argument named {name!r} is not expected here"))
        elif part is not None:
            found += _typed(known[name][0], part, _joined(path, name))
    return found


def _typed(wanted: _Typed, value: Any, path: str) -> list[Failure]:
    """Return what is wrong according to the type that fits best: the one with the fewest failures."""
    if value == UNKNOWN:
        return []
    tried = [_one(choice.hint, wanted, value, path) for choice in wanted.choices()]
    return min(tried, key=len, default=[])


def _one(hint: Any, wanted: _Typed, value: Any, path: str) -> list[Failure]:
    from pulumi import _types

    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if isinstance(hint, type) and _types.is_input_type(hint):
        return _object(hint, value, path) if isinstance(value, Mapping) else _wrong(path, "an object", value)
    if origin in {list, Sequence}:
        item = wanted.within(inner[0])
        parts = list(enumerate(value)) if isinstance(value, list) else []
        found = [one for index, part in parts for one in _typed(item, part, f"{path}[{index}]")]
        return found if isinstance(value, list) else _wrong(path, "a list", value)
    if origin in {dict, Mapping}:
        item = wanted.within(inner[1])
        fields = value.items() if isinstance(value, Mapping) else ()
        found = [one for name, part in fields for one in _typed(item, part, _joined(path, name))]
        return found if isinstance(value, Mapping) else _wrong(path, "a map", value)
    return [] if hint is Any else _scalar(hint, value, path)


def _scalar(hint: Any, value: Any, path: str) -> list[Failure]:
    if isinstance(hint, type) and issubclass(hint, Enum):
        return [] if value in {one.value for one in hint} else _wrong(path, hint.__name__, value)
    if hint in _SCALARS:
        fits = isinstance(value, _SCALARS[hint]) and (hint is bool or not isinstance(value, bool))
        return [] if fits else _wrong(path, hint.__name__, value)
    return [] if isinstance(value, hint) else _wrong(path, hint.__name__, value)


def _wrong(path: str, wanted: str, value: Any) -> list[Failure]:
    return [Failure(path, f"expected {wanted}, got {type(value).__name__}")]


def _joined(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
