"""The gRPC service that the Pulumi engine talks to; its resource types are `KINDS`.

Follows `pulumirpc.ResourceProvider` (proto/pulumi/provider.proto of the Pulumi SDK).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import wraps
from threading import Event
from typing import Any

import grpc
from google.protobuf.empty_pb2 import Empty

from curtainup import __version__
from curtainup.engine.provider import cname_swap, traffic
from curtainup.engine.provider.kind import Kind, Partial, Say, silent
from curtainup.engine.provider.protocol import differences, message_module, plain, status_details, struct
from curtainup.errors import CurtainupError

messages = message_module("provider_pb2")
services = message_module("provider_pb2_grpc")
plugin = message_module("plugin_pb2")
engine = message_module("engine_pb2")
engine_services = message_module("engine_pb2_grpc")

KINDS: Mapping[str, Kind] = {kind.TYPE: kind for kind in (traffic, cname_swap)}


def one_line(error: CurtainupError) -> str:
    """Return an error as Pulumi's output is to show it."""
    parts = [f"{error.where}: {error.what}" if error.where else error.what]
    parts += [error.consequence] if error.consequence else []
    parts += [f"fix: {error.fix}"] if error.fix else []
    parts += [f"({' '.join(error.detail.split())})"] if error.detail else []
    return "; ".join(parts)


def _answering(method: Callable[..., Any]) -> Callable[..., Any]:
    """Turn errors for people into the status of the call, without a traceback."""

    @wraps(method)
    def call(self: Provider, request: Any, context: grpc.ServicerContext) -> Any:
        try:
            return method(self, request, context)
        except CurtainupError as error:
            return context.abort(grpc.StatusCode.FAILED_PRECONDITION, one_line(error))
        except Partial as partial:
            return _abort_partly(request, context, partial)

    return call


def _abort_partly(request: Any, context: grpc.ServicerContext, partial: Partial) -> Any:
    """Fail a call, and have the engine remember what was made (`ErrorResourceInitFailed`)."""
    why = one_line(partial.error)
    inputs = request.news if hasattr(request, "news") else request.properties
    kept = messages.ErrorResourceInitFailed(
        id=getattr(request, "id", "") or _kind(request).name(plain(inputs)),
        properties=struct(partial.outputs),
        inputs=inputs,
        reasons=[why],
    )
    code: int = grpc.StatusCode.UNKNOWN.value[0]
    context.set_trailing_metadata(status_details(code, why, kept))
    return context.abort(grpc.StatusCode.UNKNOWN, why)


def _kind(request: Any) -> Kind:
    return KINDS[_type_of(request)]


def _type_of(request: Any) -> str:
    return str(request.urn.split("::")[2].rpartition("$")[2])


class Provider(services.ResourceProviderServicer):  # type: ignore[name-defined,misc]
    """Answers the engine.

    Args:
        engine_address: where the engine that started it takes messages for people, if one did.

    """

    def __init__(self, engine_address: str | None = None) -> None:
        self._cancelled = Event()
        self._engine_address = engine_address

    def Attach(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
        """Let an engine use a provider that it did not start: the driver serves one itself.

        Engines cancel at the end of every operation, and the next one attaches itself again.
        """
        self._engine_address = request.address
        self._cancelled.clear()
        return Empty()

    def Handshake(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
        """Ask for nothing beyond the protocol as it always was."""
        return messages.ProviderHandshakeResponse()

    def GetPluginInfo(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
        """Name the version."""
        return plugin.PluginInfo(version=__version__)

    def Configure(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
        """Accept previews; secrets arrive in plain and the engine marks them again itself."""
        return messages.ConfigureResponse(supportsPreview=True)

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

    @_answering
    def Check(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        """Refuse inputs that would break something, before anything happens."""
        if _type_of(request) not in KINDS:
            context.abort(
                grpc.StatusCode.UNIMPLEMENTED, f"curtainup has no resource type {_type_of(request)}"
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

    @_answering
    def Create(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: ARG002, N802
        """Make a resource real."""
        kind, inputs = _kind(request), plain(request.properties)
        if request.preview:
            return messages.CreateResponse(properties=struct(kind.foreseen(inputs)))
        with self._told(request.urn) as say:
            created = kind.create(inputs, self._cancelled, say)
        return messages.CreateResponse(id=kind.name(inputs), properties=struct(created))

    @_answering
    def Update(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: ARG002, N802
        """Make a change real."""
        kind, olds, inputs = _kind(request), plain(request.olds), plain(request.news)
        if request.preview:
            lasting = {name: olds[name] for name in kind.LASTING if name in olds}
            return messages.UpdateResponse(properties=struct({**kind.foreseen(inputs), **lasting}))
        with self._told(request.urn) as say:
            updated = kind.update(olds, inputs, self._cancelled, say)
        return messages.UpdateResponse(properties=struct(updated))

    @_answering
    def Read(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        """Say what is really there, as inputs too, so that the next update mends it."""
        kind, state, inputs = _kind(request), plain(request.properties), plain(request.inputs)
        if not inputs:
            context.abort(grpc.StatusCode.UNIMPLEMENTED, f"{kind.TYPE} cannot be imported: create it")
        live = kind.read(state)
        if live is None:
            return messages.ReadResponse()
        real = {name: live[name] for name in inputs if name in live}
        return messages.ReadResponse(id=request.id, properties=struct(live), inputs=struct(real))

    def Delete(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
        """Forget a resource of ours: all of them leave what they steer as it is."""
        return Empty()

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


def serve(engine_address: str | None = None) -> tuple[grpc.Server, int]:
    """Start to serve on a free loopback port; return the server and the port.

    Args:
        engine_address: of the engine that started this process; one that attaches itself tells its own.

    """
    server = grpc.server(ThreadPoolExecutor(max_workers=8))
    services.add_ResourceProviderServicer_to_server(Provider(engine_address), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    return server, port
