"""Keeps other users of the machine from the gRPC servers of this process.

An engine dials a port, and sends no secret of ours with its calls (`PULUMI_DEBUG_PROVIDERS`, `--client` and
`--event-log` take a port alone). So the owner of the connection decides who may call.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import grpc

from curtainup.util.peers import is_own

REFUSAL = "this port answers only the user who runs curtainup"
HOST = "127.0.0.1"


class Guard(grpc.ServerInterceptor):
    """Refuses every call that does not come from a process of this user.

    Attributes:
        port: the loopback port that the server listens on.

    """

    port = 0

    def intercept_service(self, continuation: Callable[..., Any], handler_call_details: Any) -> Any:
        """Return what answers a call, with a look at the caller before it."""
        handler = continuation(handler_call_details)
        if handler is None:
            return None
        kinds = ("unary_unary", "unary_stream", "stream_unary", "stream_stream")
        return handler._replace(
            **{kind: self._guarded(getattr(handler, kind)) for kind in kinds if getattr(handler, kind)}
        )

    def _guarded(self, answer: Callable[..., Any]) -> Callable[..., Any]:
        def call(request: Any, context: grpc.ServicerContext) -> Any:
            if not self._may(context.peer()):
                context.abort(grpc.StatusCode.PERMISSION_DENIED, REFUSAL)
            return answer(request, context)

        return call

    def _may(self, peer: str) -> bool:
        kind, _, address = peer.partition(":")
        host, _, port = address.rpartition(":")
        return kind == "ipv4" and is_own((host, int(port)), (HOST, self.port))


def guarded_server(pool: ThreadPoolExecutor, options: Sequence[tuple[str, Any]] = ()) -> grpc.Server:
    """Return what `grpc.server` returns for these arguments, with a guard; it serves one port of `HOST`."""
    guard = Guard()
    server = grpc.server(pool, interceptors=[guard], options=options)
    bind = server.add_insecure_port

    def add_insecure_port(address: str) -> int:
        guard.port = bind(address)
        return guard.port

    server.add_insecure_port = add_insecure_port  # type: ignore[method-assign]
    return server


def guard_automation() -> None:
    """Guard the servers that the SDK's Automation API starts in this process: the program and its events."""
    from pulumi.automation import _stack

    _stack.grpc = SimpleNamespace(server=guarded_server)  # type: ignore[assignment, attr-defined]
