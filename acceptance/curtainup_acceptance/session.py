"""A requests session for tests: paths instead of URLs, time-outs, and few retries."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from typing import Any, Callable, Iterator

import requests
from requests.adapters import HTTPAdapter
from urllib3.util.retry import Retry

CONNECT_TIMEOUT = 3.0  # seconds
READ_TIMEOUT = 10.0  # seconds
LONGEST = 60.0  # seconds of a whole request, with its retries and redirects
MOST = 512 << 20  # bytes of an answer
BOUNDED = "curtainup: a request"
RETRIES = 3  # waits of 0, 0.2 and 0.4 s


class ServiceSession(requests.Session):
    """Accepts paths (`/ping`) or whole URLs, and has a time-out for every request.

    It retries a connection that fails. For idempotent methods it also retries a 503, and retries once a
    connection that breaks, as a kept connection does when the server has just closed it. The test judges
    everything else.
    """

    def __init__(self, base_url: str, read_timeout: float = READ_TIMEOUT) -> None:
        super().__init__()
        self.base_url = base_url
        self.read_timeout = read_timeout
        # By default urllib3 repeats only requests of idempotent methods.
        retry = Retry(
            total=RETRIES,
            connect=RETRIES,
            status=RETRIES,
            read=1,
            redirect=None,
            status_forcelist=[503],
            backoff_factor=0.1,
            raise_on_status=False,
            respect_retry_after_header=False,
        )
        self.mount("http://", _Adapter(max_retries=retry))
        self.mount("https://", _Adapter(max_retries=retry))

    def prepare_request(self, request: requests.Request) -> requests.PreparedRequest:
        """Put the base URL before a path."""
        request.url = join(self.base_url, str(request.url))
        return super().prepare_request(request)

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        """Send with the default time-outs if the test sets none."""
        if kwargs.get("timeout") is not None:
            return super().send(request, **kwargs)
        kwargs["timeout"] = (CONNECT_TIMEOUT, self.read_timeout)
        if threading.current_thread().name == BOUNDED:  # it follows a redirect
            return super().send(request, **kwargs)
        return self._within(lambda: super(ServiceSession, self).send(request, **kwargs))

    def _within(self, send: Callable[[], requests.Response]) -> requests.Response:
        """Send in a thread, because the time-outs are for each read: an answer may trickle in for ever."""
        ended: Future[requests.Response] = Future()
        longest = max(LONGEST, CONNECT_TIMEOUT + self.read_timeout)

        def work() -> None:
            try:
                ended.set_result(send())
            except BaseException as error:
                ended.set_exception(error)

        threading.Thread(target=work, name=BOUNDED, daemon=True).start()
        try:
            return ended.result(longest)
        except FutureTimeout:
            raise requests.Timeout(f"no whole answer came within {longest:g} s") from None


class _Adapter(HTTPAdapter):
    """Gives answers whose body ends, whatever the service sends."""

    def build_response(self, req: requests.PreparedRequest, resp: Any) -> requests.Response:
        answer: requests.Response = super().build_response(req, resp)
        answer.raw = _Body(answer.raw)
        return answer


class _Body:
    """The raw answer of urllib3, up to a number of bytes."""

    def __init__(self, raw: Any) -> None:
        self._raw = raw
        self._left = MOST

    def __getattr__(self, name: str) -> Any:
        return getattr(self._raw, name)

    def stream(self, *arguments: Any, **options: Any) -> Iterator[bytes]:
        """Yield the body in pieces; see `urllib3.response.HTTPResponse.stream`."""
        for piece in self._raw.stream(*arguments, **options):
            self._left -= len(piece)
            if self._left < 0:
                self._raw.close()
                raise requests.RequestException(f"the answer is larger than {MOST >> 20} MiB")
            yield piece


def join(base_url: str, path: str) -> str:
    """Join `base_url` and `path` with one slash; a whole URL stays as it is."""
    if "://" in path.split("?", 1)[0]:
        return path
    return f"{base_url}/{path.lstrip('/')}"
