"""The gRPC service that the Pulumi engine talks to; one resource type, `traffic.TYPE`.

Follows `pulumirpc.ResourceProvider` (proto/pulumi/provider.proto of the Pulumi SDK).
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import wraps
from threading import Event
from typing import Any

import grpc
from google.protobuf.empty_pb2 import Empty

from curtainup import __version__
from curtainup.errors import CurtainupError
from curtainup.providers import traffic
from curtainup.providers.protocol import differences, message_module, plain, struct

messages = message_module("provider_pb2")
services = message_module("provider_pb2_grpc")
plugin = message_module("plugin_pb2")


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

    return call


class Provider(services.ResourceProviderServicer):  # type: ignore[name-defined,misc]
    """Answers the engine."""

    def __init__(self) -> None:
        self._cancelled = Event()

    def Attach(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
        """Let an engine use a provider that it did not start: the driver serves one itself."""
        return Empty()

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
        """Refuse inputs that would break the switch, before anything happens."""
        self._require_known_type(request, context)
        inputs = plain(request.news)
        failures = traffic.check(plain(request.olds), inputs)
        if failures:
            refused = [messages.CheckFailure(property=path, reason=why) for path, why in failures]
            return messages.CheckResponse(inputs=request.news, failures=refused)
        return messages.CheckResponse(inputs=struct(traffic.completed(inputs)))

    def Diff(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
        """Compare inputs. Nothing ever replaces a switch."""
        found = differences(plain(request.old_inputs), plain(request.news))
        if len(found) > 1:
            found.pop("config", None)
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
    def Create(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        """Put the releases into the proxy."""
        self._require_known_type(request, context)
        inputs = plain(request.properties)
        if request.preview:
            return messages.CreateResponse(properties=struct(traffic.foreseen(inputs)))
        created = traffic.create(inputs, self._cancelled)
        return messages.CreateResponse(id=inputs["proxy"], properties=struct(created))

    @_answering
    def Update(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: ARG002, N802
        """Move traffic."""
        inputs = plain(request.news)
        if request.preview:
            return messages.UpdateResponse(properties=struct(traffic.foreseen(inputs)))
        updated = traffic.update(plain(request.olds), inputs, self._cancelled)
        return messages.UpdateResponse(properties=struct(updated))

    @_answering
    def Read(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        """Say what the proxy really has, as inputs too, so that the next update mends it."""
        state, inputs = plain(request.properties), plain(request.inputs)
        if "proxy" not in inputs:
            context.abort(grpc.StatusCode.UNIMPLEMENTED, f"{traffic.TYPE} cannot be imported: create it")
        live = traffic.read(state)
        if live is None:
            return messages.ReadResponse()
        real = {name: live[name] for name in inputs if name in live}
        return messages.ReadResponse(id=request.id, properties=struct(live), inputs=struct(real))

    def Delete(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
        """Forget the switch. The proxy goes on as it is until its own container is removed."""
        return Empty()

    def _require_known_type(self, request: Any, context: grpc.ServicerContext) -> None:
        kind = request.urn.split("::")[2].rpartition("$")[2]
        if kind != traffic.TYPE:
            context.abort(grpc.StatusCode.UNIMPLEMENTED, f"curtainup has no resource type {kind}")


def serve() -> tuple[grpc.Server, int]:
    """Start to serve on a free loopback port; return the server and the port."""
    server = grpc.server(ThreadPoolExecutor(max_workers=8))
    services.add_ResourceProviderServicer_to_server(Provider(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    return server, port
