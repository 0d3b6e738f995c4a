"""Users of a service: requests without pause, on kept and on new connections, each of them counted."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import requests

from tests.e2e.service import session

PAUSE = 0.01
"""Seconds between two requests of one user: light load, so that two cores have time for the rest."""


@dataclass
class Answers:
    """What the users have seen so far.

    Attributes:
        releases: how many answers came from which release, however that is told.
        failures: what went wrong, one entry per request.

    """

    releases: dict[str, int] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)

    @property
    def total(self) -> int:
        return sum(self.releases.values()) + len(self.failures)


def by_header(answer: requests.Response) -> str:
    """The release as our proxy names it."""
    return answer.headers["Curtainup-Release"]


@contextmanager
def users(
    url: str,
    path: str = "/ping",
    told: Callable[[requests.Response], str] = by_header,
    verify: str | None = None,
) -> Iterator[Answers]:
    """Send requests until the block ends; the block itself takes at least some.

    `told` says of an answer which release gave it; `verify` is a file with whose certificates it may come.
    """
    answers, lock, done = Answers(), threading.Lock(), threading.Event()
    enough = threading.Semaphore(0)

    def use(*, keep_alive: bool) -> None:
        with session() as connection:
            connection.verify = verify or True
            connection.headers["Connection"] = "keep-alive" if keep_alive else "close"
            while not done.wait(PAUSE):
                release, failure = _ask(connection, url + path, told)
                with lock:
                    if failure:
                        answers.failures.append(failure)
                    else:
                        answers.releases[release] = answers.releases.get(release, 0) + 1
                enough.release()

    threads = [
        threading.Thread(target=use, kwargs={"keep_alive": kept}, daemon=True) for kept in (True, False)
    ]
    for thread in threads:
        thread.start()
    try:
        enough.acquire()
        yield answers
    finally:
        done.set()
        for thread in threads:
            thread.join()


def _ask(connection: requests.Session, url: str, told: Callable[[requests.Response], str]) -> tuple[str, str]:
    """Return the release that answered, or what went wrong."""
    try:
        answer = connection.get(url, timeout=60)
    except requests.RequestException as error:
        return "", f"{type(error).__name__}: {error}"
    if answer.status_code != 200:
        return "", f"HTTP {answer.status_code}: {answer.text[:200]}"
    return told(answer), ""
