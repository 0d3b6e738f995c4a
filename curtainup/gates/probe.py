"""The probe: a steady stream of requests to one URL while traffic moves, as evidence of a clean switch.

Half of the workers keep their connection, as browsers and load balancers do; the other half open a
new connection for each request. Requests start at a fixed rate. A worker that waits for a slow answer skips
the beats that it missed, and sends no burst afterwards.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Mapping

from curtainup.gates.http import NO_HEADERS, FetchError, connect, explain, get, target
from curtainup.gates.tally import ProbeResult, Tally


class Probe:
    """Sends `rate` requests a second to `path` below `url`, from `start` to `stop`.

    A request fails when the connection fails or closes without an answer, when the answer takes more than
    `timeout` seconds, or when its status is 500 or higher. The probe retries nothing, not even on kept
    connections, because a client would not repeat a POST either.

    Each phase has workers of its own. A release that hangs keeps the workers of its phase busy, and the probe
    still sees how the next one answers.

    Raises ValueError when `url` is not http(s)://host….

    Attributes:
        tally: what the probe has counted so far.

    """

    def __init__(
        self,
        url: str,
        path: str = "/ping",
        *,
        rate: float = 50.0,
        timeout: float = 5.0,
        workers: int = 4,
        headers: Mapping[str, str] = NO_HEADERS,
    ) -> None:
        connect(url, timeout)
        self._headers = {"User-Agent": "curtainup-probe", **headers}
        self._url = url
        self._path = target(url, path)
        self._timeout = timeout
        self._interval = 1.0 / rate
        self._workers = workers
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []
        self.tally = Tally()

    def start(self) -> None:
        """Start to send requests, in the phase `before`."""
        self._send()

    def mark(self, phase: str) -> None:
        """Count requests from now on in `phase`: `before`, `during` or `after`."""
        self.tally.phase = phase
        if self._threads:
            self._send()

    def wait_for(self, count: int, timeout: float) -> bool:
        """Wait until `count` more requests have ended; return False if that takes over `timeout` seconds."""
        return self.tally.wait_for(count, timeout)

    def stop(self) -> ProbeResult:
        """Stop sending, wait for the phase's outstanding answers up to their time-out, and return the result.

        Requests of earlier phases that still have no answer count as failed.
        """
        self._stopping.set()
        deadline = time.monotonic() + self._timeout + 1.0
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        return self.tally.close(self._url)

    def _send(self) -> None:
        """Start the workers of the present phase; those of the phase before end with their last request."""
        phase = self.tally.phase
        self._threads = [
            threading.Thread(target=self._run, args=(number, phase), name=f"probe-{number}", daemon=True)
            for number in range(self._workers)
        ]
        for thread in self._threads:
            thread.start()

    def _run(self, number: int, phase: str) -> None:
        """Send a request at this worker's beats, every n-th of n workers, until the phase ends."""
        keep_alive = number % 2 == 0
        headers = self._headers | ({} if keep_alive else {"Connection": "close"})
        connection = connect(self._url, self._timeout)
        period = self._interval * self._workers
        beat = time.monotonic() + number * self._interval
        while not self._stopping.wait(max(0.0, beat - time.monotonic())) and self.tally.phase == phase:
            request = self.tally.begin()
            release, trouble = None, None
            try:
                answer = get(connection, self._path, request.started + self._timeout, headers)
            except FetchError as error:
                trouble = explain(error)
            else:
                release, trouble = answer.release, f"HTTP {answer.status}" if answer.status >= 500 else None
            self.tally.end(request, release, trouble)
            if not keep_alive:
                connection.close()
            beat += period * max(1, math.ceil((time.monotonic() - beat) / period))
        connection.close()
