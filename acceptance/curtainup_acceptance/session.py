"""A requests session for tests: paths instead of URLs, time-outs, and few retries."""

from __future__ import annotations

from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.util.retry import Retry

CONNECT_TIMEOUT = 3.0  # seconds
READ_TIMEOUT = 10.0  # seconds
RETRIES = 3  # waits of 0, 0.2 and 0.4 s


class ServiceSession(requests.Session):
    """Takes paths (`/ping`) or whole URLs, and never waits for ever.

    A connection that cannot be made is tried again. For idempotent methods so is a 503, and once a
    connection that breaks, as a kept one does when the server has just closed it. Everything else is the
    test's to judge.
    """

    def __init__(self, base_url: str) -> None:
        super().__init__()
        self.base_url = base_url
        # urllib3's default is to repeat requests of idempotent methods only.
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
        self.mount("http://", HTTPAdapter(max_retries=retry))
        self.mount("https://", HTTPAdapter(max_retries=retry))

    def prepare_request(self, request: requests.Request) -> requests.PreparedRequest:
        """Put the base URL before a path."""
        request.url = join(self.base_url, str(request.url))
        return super().prepare_request(request)

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        """Send with the default time-outs where the test sets none."""
        if kwargs.get("timeout") is None:
            kwargs["timeout"] = (CONNECT_TIMEOUT, READ_TIMEOUT)
        return super().send(request, **kwargs)


def join(base_url: str, path: str) -> str:
    """`base_url` and `path` with one slash between them; a whole URL stays as it is."""
    if "://" in path.split("?", 1)[0]:
        return path
    return f"{base_url}/{path.lstrip('/')}"
