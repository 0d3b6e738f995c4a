"""What the gRPC services of all our Pulumi providers have in common.

They follow `pulumirpc.ResourceProvider` (proto/pulumi/provider.proto of the Pulumi SDK).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import wraps
from typing import Any, ClassVar, NoReturn

import grpc
from google.protobuf.empty_pb2 import Empty

from curtainup.engine.provider.guard import guarded_server
from curtainup.engine.provider.protocol import message_module, status_details, struct
from curtainup.errors import CurtainupError

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


def stack_of(urn: str) -> str:
    """Return the stack in a resource's URN."""
    return urn.partition("::")[0].rpartition(":")[2]


def type_of(urn: str) -> str:
    """Return the type in a resource's URN."""
    return urn.split("::")[2].rpartition("$")[2]


class Servicer(services.ResourceProviderServicer):  # type: ignore[name-defined,misc]
    """Answers an engine what every provider answers alike.

    Attributes:
        code: the status of a refused call.
        expected: the exceptions that refuse a call.

    """

    code: ClassVar[grpc.StatusCode] = grpc.StatusCode.UNKNOWN
    expected: ClassVar[tuple[type[Exception], ...]] = (CurtainupError,)

    def __init__(self, version: str) -> None:
        self._version = version

    def refuse(self, error: Exception, request: Any, context: grpc.ServicerContext) -> NoReturn:
        """End a call that raised an expected exception, without a traceback."""
        del request  # what a call has made by then is for the subclass to keep
        abort(context, self.code, one_line(error) if isinstance(error, CurtainupError) else str(error))

    def Attach(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
        """Accept an engine that did not start this provider."""
        return Empty()

    def Handshake(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
        """Ask for nothing beyond the original protocol."""
        return messages.ProviderHandshakeResponse()

    def GetPluginInfo(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
        """Return the version."""
        return plugin.PluginInfo(version=self._version)

    def Configure(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
        """Accept previews. Secrets arrive in plain text, and the engine itself marks them again."""
        return messages.ConfigureResponse(supportsPreview=True)


def answering(method: Callable[..., Any]) -> Callable[..., Any]:
    """Have a servicer's method refuse calls by `refuse`."""

    @wraps(method)
    def call(self: Servicer, request: Any, context: grpc.ServicerContext) -> Any:
        try:
            return method(self, request, context)
        except self.expected as error:
            self.refuse(error, request, context)

    return call


def abort(context: grpc.ServicerContext, code: grpc.StatusCode, why: str) -> NoReturn:
    """End a call with a status."""
    context.abort(code, why)
    raise AssertionError("abort raises")


def abort_partly(
    context: grpc.ServicerContext,
    why: str,
    name: str,
    outputs: Mapping[str, Any],
    inputs: Any,
    reasons: Sequence[str],
) -> NoReturn:
    """End a call, and have the engine remember the resource as it is now (`ErrorResourceInitFailed`)."""
    kept = messages.ErrorResourceInitFailed(
        id=name, properties=struct(outputs), inputs=inputs, reasons=reasons
    )
    code: int = grpc.StatusCode.UNKNOWN.value[0]
    context.set_trailing_metadata(status_details(code, why, kept))
    abort(context, grpc.StatusCode.UNKNOWN, why)


def serve(
    servicer: Servicer, workers: int, options: Sequence[tuple[str, int]] = ()
) -> tuple[grpc.Server, int]:
    """Start to serve this user's engines on a free loopback port; return the server and the port."""
    server = guarded_server(ThreadPoolExecutor(max_workers=workers), options=options)
    services.add_ResourceProviderServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    return server, port
