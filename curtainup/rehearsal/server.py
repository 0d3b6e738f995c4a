"""The gRPC service of a stand-in provider, served from the process that rehearses.

Follows `pulumirpc.ResourceProvider` (proto/pulumi/provider.proto of the Pulumi SDK). An engine attaches
to it by `PULUMI_DEBUG_PROVIDERS=gcp:PORT,aws:PORT`; nothing is installed anywhere.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib import import_module
from importlib.metadata import version
from threading import Lock
from typing import Any, NoReturn, Protocol

import grpc
from google.protobuf.empty_pb2 import Empty

from curtainup.engine.provider import servicer
from curtainup.engine.provider.protocol import UNKNOWN, plain, struct
from curtainup.engine.provider.servicer import (
    Servicer,
    abort,
    abort_partly,
    answering,
    messages,
    type_of,
)
from curtainup.errors import CurtainupError
from curtainup.rehearsal import changes, schema, told
from curtainup.rehearsal.assets import objects
from curtainup.rehearsal.faults import Faults
from curtainup.rehearsal.home import Home
from curtainup.rehearsal.kind import Cloud, CloudError, Failure, Function, Kind, Unready

WORKERS = 32
"""Calls that are answered at once: waiting for one environment must not hold up another."""

_LARGEST_MESSAGE = 1024 * 1024 * 400
"""Bytes; as the SDK's own channels."""


class Package(Protocol):
    """A cloud's module, such as `curtainup.rehearsal.gcp.cloud`."""

    KINDS: tuple[type[Kind], ...]
    FUNCTIONS: Mapping[str, Function]


class Provider(Servicer):
    """Answers engines. Each connection is a provider of its own, with its own configuration."""

    expected = (CloudError, CurtainupError, Unready)

    def __init__(self, name: str, package: Package, home: Home, faults: Faults) -> None:
        """Serve a cloud's package.

        Args:
            name: `gcp` or `aws`.
            package: its resource types and functions.
            home: where the rehearsal keeps everything.
            faults: what is to go wrong.

        """
        super().__init__(version(f"pulumi-{name}"))
        self._name = name
        self._kinds = {kind.token: kind for kind in package.KINDS}
        self._functions = package.FUNCTIONS
        self._home = home
        self._faults = faults
        self._clouds: dict[str, Cloud] = {}
        self._lock = Lock()

    def refuse(self, error: Exception, request: Any, context: grpc.ServicerContext) -> NoReturn:
        """End a call; the engine keeps a resource that was made and does not work, with the reasons."""
        if isinstance(error, Unready):
            inputs = plain(request.news if hasattr(request, "news") else request.properties)
            outputs = {**changes.visible(inputs), **error.outputs}
            abort_partly(context, str(error), error.id, outputs, struct(inputs), error.reasons)
        super().refuse(error, request, context)

    def GetSchema(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
        """Return an empty schema: the SDKs have their own."""
        return messages.GetSchemaResponse(schema=json.dumps({"name": self._name}))

    def CheckConfig(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
        """Refuse configuration that the real provider does not have."""
        known = schema.provider_properties(self._name)
        refused = [
            messages.CheckFailure(property=name, reason=f"{name!r} is not a configuration of {self._name}")
            for name in plain(request.news)
            if name not in known
        ]
        return messages.CheckResponse(inputs=request.news, failures=refused)

    def DiffConfig(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
        """Say what differs; only another project, region or account replaces what depends on it."""
        return changes.response(plain(request.old_inputs), plain(request.news), frozenset(), ())

    def Configure(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Take the configuration; secrets arrive in plain and the engine marks them again itself."""
        with self._lock:
            self._clouds[context.peer()] = Cloud(self._home, self._faults, plain(request.args))
        return messages.ConfigureResponse(supportsPreview=True)

    def Cancel(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
        """End the waiting of this engine's operation."""
        self._cloud(context).cancelled.set()
        return Empty()

    @answering
    def Invoke(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        """Call a function."""
        if request.tok not in self._functions:
            return _unknown(context, f"function {request.tok}")
        result = self._functions[request.tok](self._cloud(context), plain(request.args))
        return messages.InvokeResponse(**{"return": struct(result)})

    @answering
    def Check(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        """Refuse what the real provider or service would refuse, before anything happens."""
        kind = self._kind(request.urn, context)
        news = changes.named(kind, request, plain(request.olds), plain(request.news))
        inputs = changes.visible(objects(news))
        found = schema.failures(kind.token, inputs) or kind.check(inputs)
        refused = [_failure(one) for one in found]
        return messages.CheckResponse(inputs=struct(news), failures=refused)

    def Diff(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Compare what the cloud told last with the inputs, as the bridged providers do."""
        kind = self._kind(request.urn, context)
        news = plain(request.news)
        olds = _told(kind, plain(request.old_inputs), plain(request.olds))
        return changes.response(
            told.comparable(olds, news, kind.filled, kind.sets) if _retells(kind) else olds,
            news,
            kind.replaced_by,
            tuple(request.ignoreChanges),
            kind.named_by,
        )

    @answering
    def Create(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        """Make a resource, or foresee it."""
        kind, inputs = self._kind(request.urn, context), plain(request.properties)
        if request.preview:
            foreseen = {**changes.visible(inputs), **dict.fromkeys(kind.computed, UNKNOWN)}
            return messages.CreateResponse(properties=struct(foreseen))
        made = kind.create(changes.visible(objects(inputs)))
        outputs = {**kind.told(changes.visible(inputs)), **made.outputs}
        return messages.CreateResponse(id=made.id, properties=struct(outputs))

    @answering
    def Update(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        """Change a resource, or foresee it."""
        kind = self._kind(request.urn, context)
        inputs, olds = plain(request.news), plain(request.olds)
        if request.preview:
            kept = {name: olds[name] for name in kind.computed if name in olds}
            foreseen = {**changes.visible(inputs), **kept, **dict.fromkeys(kind.changing, UNKNOWN)}
            return messages.UpdateResponse(properties=struct(foreseen))
        outputs = kind.update(request.id, objects(olds), changes.visible(objects(inputs)))
        outputs = {**kind.told(changes.visible(inputs)), **outputs}
        return messages.UpdateResponse(properties=struct(outputs))

    @answering
    def Read(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        """Say how a resource really is, as inputs too, so that the next update mends it."""
        kind = self._kind(request.urn, context)
        state, inputs = plain(request.properties), plain(request.inputs)
        if not inputs:
            context.abort(grpc.StatusCode.UNIMPLEMENTED, f"a rehearsal imports no {kind.token}: create it")
        found = kind.read(request.id, objects(state))
        if found is None:
            return messages.ReadResponse()
        known = _told(kind, changes.visible(inputs), state)
        drifted = {**(kind.told(known) if _retells(kind) else {}), **found.inputs}
        return messages.ReadResponse(
            id=request.id,
            properties=struct({**state, **drifted, **found.outputs}),
            inputs=struct({**inputs, **drifted}),
        )

    @answering
    def Delete(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        """Remove a resource."""
        kind = self._kind(request.urn, context)
        kind.delete(request.id, objects(plain(request.properties)))
        return Empty()

    def _cloud(self, context: grpc.ServicerContext) -> Cloud:
        with self._lock:
            return self._clouds.setdefault(context.peer(), Cloud(self._home, self._faults))

    def _kind(self, urn: str, context: grpc.ServicerContext) -> Kind:
        token = type_of(urn)
        if token not in self._kinds:
            _unknown(context, f"resource type {token}")
        return self._kinds[token](self._cloud(context))


def serve(name: str, home: Home, faults: Faults) -> tuple[grpc.Server, int]:
    """Start to serve a cloud on a free loopback port; return the server and the port.

    Args:
        name: `gcp` or `aws`.
        home: where the rehearsal keeps everything.
        faults: what is to go wrong.

    """
    package: Any = import_module(f"curtainup.rehearsal.{name}.cloud")
    options = [
        ("grpc.max_receive_message_length", _LARGEST_MESSAGE),
        ("grpc.max_send_message_length", _LARGEST_MESSAGE),
    ]
    return servicer.serve(Provider(name, package, home, faults), WORKERS, options)


def _told(kind: Kind, inputs: Mapping[str, Any], state: Mapping[str, Any]) -> dict[str, Any]:
    """Return inputs as the cloud told them last, where it has a form of its own; an asset has none."""
    return {name: state.get(name, one) if _retells(kind) else one for name, one in inputs.items()}


def _retells(kind: Kind) -> bool:
    """Return whether the cloud has a form of its own for the resource's inputs."""
    return bool(kind.filled or kind.sets)


def _failure(found: Failure) -> Any:
    return messages.CheckFailure(property=found.property, reason=found.reason)


def _unknown(context: grpc.ServicerContext, what: str) -> NoReturn:
    abort(context, grpc.StatusCode.UNIMPLEMENTED, f"a rehearsal has no {what}")
