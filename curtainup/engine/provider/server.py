"""The gRPC service that the Pulumi engine talks to; its resource types are `KINDS`.

Follows `pulumirpc.ResourceProvider` (proto/pulumi/provider.proto of the Pulumi SDK).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from threading import Event
from typing import Any, NoReturn

import grpc
from google.protobuf.empty_pb2 import Empty

from curtainup import __version__
from curtainup.engine.provider import cname_swap, door_route, servicer, traffic
from curtainup.engine.provider.kind import Kind, Partial, Properties, Say, silent
from curtainup.engine.provider.protocol import differences, message_module, plain, struct
from curtainup.engine.provider.servicer import (
    Servicer,
    abort_partly,
    answering,
    messages,
    one_line,
    stack_of,
    type_of,
)
from curtainup.errors import CurtainupError, RefusedError
from curtainup.platforms.haproxy import proxy

engine = message_module("engine_pb2")
engine_services = message_module("engine_pb2_grpc")

WORKERS = 8
"""Calls that are answered at once."""

KINDS: Mapping[str, Kind] = {kind.TYPE: kind for kind in (traffic, cname_swap, door_route)}


def _kind(request: Any) -> Kind:
    return KINDS[type_of(request.urn)]


class Provider(Servicer):
    """Answers the engine.

    Args:
        engine_address: where the engine that started it takes messages for people, if one did.
        stack: the only stack whose resources it touches; None is any stack that an engine names.
        docker: the variables with which it reaches the Docker engine, before the environment's.

    """

    code = grpc.StatusCode.FAILED_PRECONDITION
    expected = (CurtainupError, Partial)

    def __init__(
        self,
        engine_address: str | None = None,
        stack: str | None = None,
        docker: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(__version__)
        self._docker = docker or {}
        self._stack = stack
        self._cancelled = Event()
        self._engine_address = engine_address

    def refuse(self, error: Exception, request: Any, context: grpc.ServicerContext) -> NoReturn:
        """End a call; what a partial change has made is remembered."""
        if isinstance(error, Partial):
            inputs = request.news if hasattr(request, "news") else request.properties
            name = getattr(request, "id", "") or _kind(request).name(plain(inputs))
            why = one_line(error.error)
            abort_partly(context, why, name, error.outputs, inputs, [why])
        super().refuse(error, request, context)

    def Attach(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
        """Let an engine use a provider that it did not start: the driver serves one itself.

        Engines cancel at the end of every operation, and the next one attaches itself again.
        """
        self._engine_address = request.address
        self._cancelled.clear()
        return Empty()

    def CheckConfig(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
        """Take any configuration: there is none."""
        return messages.CheckResponse(inputs=request.news)

    def DiffConfig(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
        """Say that no configuration ever replaces the provider."""
        return messages.DiffResponse(changes=messages.DiffResponse.DIFF_NONE)

    def Cancel(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
        """End all waiting."""
        self._cancelled.set()
        return Empty()

    @answering
    def Check(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        """Refuse inputs that would break something, before anything happens."""
        if type_of(request.urn) not in KINDS:
            context.abort(
                grpc.StatusCode.UNIMPLEMENTED, f"curtainup has no resource type {type_of(request.urn)}"
            )
        kind, inputs = _kind(request), plain(request.news)
        failures = kind.check(plain(request.olds), inputs)
        if failures:
            refused = [messages.CheckFailure(property=path, reason=why) for path, why in failures]
            return messages.CheckResponse(inputs=request.news, failures=refused)
        return messages.CheckResponse(inputs=struct(kind.completed(inputs)))

    def Diff(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
        """Compare inputs. Nothing ever replaces a resource of ours."""
        found = differences(plain(request.old_inputs), plain(request.news))
        derived = _kind(request).DERIVED
        if not set(found) <= set(derived):
            found = {path: kind for path, kind in found.items() if path not in derived}
        changes = {
            path: messages.PropertyDiff(kind=messages.PropertyDiff.Kind.Value(kind), inputDiff=True)
            for path, kind in found.items()
            if path not in request.ignoreChanges
        }
        return messages.DiffResponse(
            changes=messages.DiffResponse.DIFF_SOME if changes else messages.DiffResponse.DIFF_NONE,
            diffs=sorted({path.split(".")[0].split("[")[0] for path in changes}),
            detailedDiff=changes,
            hasDetailedDiff=True,
        )

    @answering
    def Create(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: ARG002, N802
        """Make a resource real."""
        kind, inputs = _kind(request), plain(request.properties)
        stack = self._own_stack(request.urn)
        _require_sound(kind, {}, inputs)
        if request.preview:
            return messages.CreateResponse(properties=struct(kind.foreseen(inputs)))
        with proxy.at_engine(self._docker), self._told(request.urn) as say:
            created = kind.create(inputs, self._cancelled, say, stack=stack)
        return messages.CreateResponse(id=kind.name(inputs), properties=struct(created))

    @answering
    def Update(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: ARG002, N802
        """Make a change real."""
        kind, olds, inputs = _kind(request), plain(request.olds), plain(request.news)
        stack = self._own_stack(request.urn)
        _require_sound(kind, olds, inputs)
        if request.preview:
            lasting = {name: olds[name] for name in kind.LASTING if name in olds}
            return messages.UpdateResponse(properties=struct({**kind.foreseen(inputs), **lasting}))
        with proxy.at_engine(self._docker), self._told(request.urn) as say:
            updated = kind.update(olds, inputs, self._cancelled, say, stack=stack)
        return messages.UpdateResponse(properties=struct(updated))

    @answering
    def Read(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        """Say what is really there, as inputs too, so that the next update mends it."""
        kind, state, inputs = _kind(request), plain(request.properties), plain(request.inputs)
        if not inputs:
            context.abort(grpc.StatusCode.UNIMPLEMENTED, f"{kind.TYPE} cannot be imported: create it")
        with proxy.at_engine(self._docker), self._told(request.urn) as say:
            live = kind.read(state, self._cancelled, say)
        if live is None:
            return messages.ReadResponse()
        real = {name: live[name] for name in inputs if name in live}
        return messages.ReadResponse(id=request.id, properties=struct(live), inputs=struct(real))

    @answering
    def Delete(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
        """Take away what only the resource has made."""
        self._own_stack(request.urn)
        with proxy.at_engine(self._docker):
            _kind(request).delete(plain(request.properties))
        return Empty()

    def _own_stack(self, urn: str) -> str:
        """Return the stack of a resource.

        Raises:
            RefusedError: the engine works on another one.

        """
        stack = stack_of(urn)
        if self._stack is not None and stack != self._stack:
            raise RefusedError(
                f"a resource of stack {stack} was to be changed by an operation on stack {self._stack}",
                consequence="nothing was changed",
                fix="run the command again",
            )
        return stack

    @contextmanager
    def _told(self, urn: str) -> Iterator[Say]:
        """Give what tells people, beside the resource, what its operation is waiting for."""
        if not self._engine_address:
            yield silent
            return
        with grpc.insecure_channel(self._engine_address) as channel:
            yield _Telling(engine_services.EngineStub(channel), urn)


class _Telling:
    """Sends each new text to the engine, as a message that is shown while the resource is under way."""

    def __init__(self, stub: Any, urn: str) -> None:
        self._stub = stub
        self._urn = urn
        self._last = ""

    def __call__(self, text: str) -> None:
        if text != self._last:
            self._last = text
            told = engine.LogRequest(
                severity=engine.LogSeverity.INFO, message=text, urn=self._urn, ephemeral=True
            )
            self._stub.Log(told)


def _require_sound(kind: Kind, olds: Properties, news: Properties) -> None:
    """Check inputs where they are used, because nothing forces a caller to call `Check` first.

    Raises:
        RefusedError: `Check` would refuse the inputs.

    """
    failures = kind.check(olds, news)
    if failures:
        raise RefusedError(
            "; ".join(f"{path}: {why}" for path, why in failures),
            consequence="nothing was changed",
            fix="correct the program, and run the command again",
        )


def serve(
    engine_address: str | None = None, stack: str | None = None, docker: Mapping[str, str] | None = None
) -> tuple[grpc.Server, int]:
    """Start to serve on a free loopback port; return the server and the port.

    Args:
        engine_address: of the engine that started this process; one that attaches itself tells its own.
        stack: the only stack whose resources it touches; None is any stack that an engine names.
        docker: the variables with which it reaches the Docker engine, before the environment's.

    """
    return servicer.serve(Provider(engine_address, stack, docker), WORKERS)
