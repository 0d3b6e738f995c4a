"""Ends a wait for somebody who may never finish: a time limit for each read of a socket limits nothing."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from threading import Thread
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    import requests

Result = TypeVar("Result")
MOST = 16 << 20
"""Bytes of an answer."""


def within(seconds: float, work: Callable[[], Result]) -> Result:
    """Return what the work returns. What takes longer goes on in a thread that nothing waits for.

    Raises:
        TimeoutError: the work has not ended after so many seconds.
        Exception: the work's own.

    """
    ended: Future[Result] = Future()

    def do() -> None:
        try:
            ended.set_result(work())
        except BaseException as error:
            ended.set_exception(error)

    Thread(target=do, name="bounded", daemon=True).start()
    return ended.result(seconds)


def whole(send: Callable[[], requests.Response], *, seconds: float, most: int = MOST) -> requests.Response:
    """Return an answer with its whole body.

    Args:
        send: sends the request with `stream=True`.
        seconds: for all of it: names, connections, head and body.
        most: bytes of the body.

    Raises:
        requests.RequestException: no whole answer came in time, or it is too large.

    """
    import requests

    def exchange() -> requests.Response:
        answer = send()
        answer.raw = _Bounded(answer.raw, most)
        try:
            _ = answer.content
        except BaseException:
            answer.close()
            raise
        return answer

    try:
        return within(seconds, exchange)
    except TimeoutError as error:
        raise requests.Timeout(f"no whole answer came within {seconds:g} s") from error


class _Bounded:
    """A raw answer of requests that gives a bounded number of bytes."""

    def __init__(self, raw: Any, most: int) -> None:
        self._raw = raw
        self._left = most

    def __getattr__(self, name: str) -> Any:
        return getattr(self._raw, name)

    def stream(self, *arguments: Any, **options: Any) -> Any:
        """Yield the body in pieces; see `urllib3.response.HTTPResponse.stream`."""
        import requests

        for piece in self._raw.stream(*arguments, **options):
            self._left -= len(piece)
            if self._left < 0:
                raise requests.RequestException("the answer is too large")
            yield piece
