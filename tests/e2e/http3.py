"""One request over HTTP/3, as a browser makes it once it knows that the server speaks it."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path
from typing import cast

from aioquic.asyncio.client import connect
from aioquic.asyncio.protocol import QuicConnectionProtocol
from aioquic.h3.connection import H3_ALPN, H3Connection
from aioquic.h3.events import H3Event, HeadersReceived
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.events import QuicEvent

PATIENCE = 30.0


class _Browser(QuicConnectionProtocol):
    """Asks one thing, and keeps the headers of the answer."""

    async def get(self, host: str, path: str) -> dict[bytes, bytes]:
        http, self._answer = H3Connection(self._quic), asyncio.get_running_loop().create_future()
        self._http = http
        asked = {
            b":method": b"GET",
            b":scheme": b"https",
            b":authority": host.encode(),
            b":path": path.encode(),
        }
        http.send_headers(self._quic.get_next_available_stream_id(), list(asked.items()), end_stream=True)
        self.transmit()
        return await asyncio.wait_for(self._answer, PATIENCE)

    def quic_event_received(self, event: QuicEvent) -> None:
        """Take what the server sends."""
        for found in self._http.handle_event(event):
            self._take(found)

    def _take(self, event: H3Event) -> None:
        if isinstance(event, HeadersReceived) and not self._answer.done():
            self._answer.set_result(dict(event.headers))


async def _get(address: str, host: str, path: str, roots: Path) -> dict[bytes, bytes]:
    settings = QuicConfiguration(
        alpn_protocols=H3_ALPN, is_client=True, server_name=host, verify_mode=ssl.CERT_REQUIRED
    )
    settings.load_verify_locations(str(roots))
    async with connect(address, 443, configuration=settings, create_protocol=_Browser) as browser:
        return await cast("_Browser", browser).get(host, path)


def get(host: str, path: str, roots: Path, address: str = "127.0.0.1") -> dict[str, str]:
    """Return the headers of an answer, its status as `:status`."""
    found = asyncio.run(_get(address, host, path, roots))
    return {name.decode(): value.decode() for name, value in found.items()}
