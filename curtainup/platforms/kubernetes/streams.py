"""One connection to a port of a pod, by the Python client's port-forward.

The client passes on the bytes in a thread of its own. Whatever ends that thread, whoever reads from the
connection has to learn of its end.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from kubernetes.client.rest import ApiException  # noqa: TID253 - imported once there is a connection to make
from kubernetes.stream.ws_client import PortForward, create_websocket, get_websocket_url  # noqa: TID253
from websocket import WebSocketBadStatusException, WebSocketException

from curtainup.platforms.kubernetes.cluster import Refused
from curtainup.util.deadlines import within


class _Forward(PortForward):  # type: ignore[misc]
    """A port-forward that hangs up if the connection to the API server is lost."""

    lost = ""
    """Why it was lost; empty while it was not."""

    def _proxy(self) -> None:
        try:
            super()._proxy()
        except Exception as error:
            self.lost = str(error) or type(error).__name__
        finally:
            for port in self.local_ports.values():
                port.python.close()
            with suppress(Exception):
                self.websocket.shutdown()


def opened(configuration: Any, url: str, headers: dict[str, str], port: int, patience: float) -> _Forward:
    """Open a connection to a port.

    Args:
        configuration: the Python client's.
        url: of the pod's `portforward`.
        headers: prove who asks.
        port: of the pod.
        patience: seconds in which the API server has to begin.

    Raises:
        Refused: the API server refuses.
        OSError: it does not answer.

    """
    asked = get_websocket_url(url, [("ports", str(port))])
    try:
        websocket = within(patience, lambda: create_websocket(configuration, asked, headers))
    except WebSocketBadStatusException as error:
        said = error.resp_body.decode(errors="replace") if error.resp_body else str(error)
        raise Refused(error.status_code, "", said) from error
    except (WebSocketException, ApiException) as error:
        raise ConnectionError(str(error)) from error
    return _Forward(websocket, [port])
