"""A canary: traffic moves in steps, and after each step the new release has time to prove itself."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event

from curtainup.config import EnvironmentConfig
from curtainup.config.canary_metrics import CanaryMetric
from curtainup.util import process
from curtainup.util.deadlines import whole
from curtainup.util.process import Ended

PERIOD = 5.0
"""Seconds between two checks of the watch."""
LOOK_TIMEOUT = 30.0
"""Seconds that one check may take."""
OUTPUT_LINES = 20


@dataclass(frozen=True)
class Canary:
    """How traffic moves to a new release.

    Attributes:
        shares: the shares of traffic, in per cent, that the release gets in turn before it gets everything.
        every: how long it keeps each share, in seconds.
        watch: a URL or a shell command that curtainup checks while traffic moves; None means that only the
            probe watches.
        metrics: what the release is judged by at each step.
        may_ask_again: whether `curtainup deploy` may go on with a paused canary; `four_eyes` refuses that.

    """

    shares: tuple[int, ...] = ()
    every: float = 0.0
    watch: str | None = None
    metrics: tuple[CanaryMetric, ...] = ()
    may_ask_again: bool = True

    @classmethod
    def of(cls, config: EnvironmentConfig) -> Canary:
        """Return the canary that an environment's configuration asks for."""
        return cls(config.canary, config.canary_every, config.canary_watch, config.canary_metrics)


def asked(config: EnvironmentConfig, canary: Canary | None, *, metrics: bool) -> Canary:
    """Return the canary of a run.

    Args:
        config: the environment's.
        canary: replaces the steps and the watch that are configured; None leaves them.
        metrics: whether the configured metrics judge.

    """
    found = Canary.of(config) if canary is None else replace(canary, metrics=config.canary_metrics)
    return found if metrics else replace(found, metrics=())


def trouble(watch: str, variables: Mapping[str, str]) -> str | None:
    """Check the watch once; return what is wrong, or None.

    A URL must answer with a status below 400, and a command must end with exit code 0, within 30 s.

    Args:
        watch: the URL or command.
        variables: environment variables for the command, in addition to those of this process.

    """
    if watch.startswith(("http://", "https://")):
        return _of_url(watch)
    return _of_command(watch, variables)


def _of_url(url: str) -> str | None:
    import requests

    try:
        answer = whole(lambda: requests.get(url, timeout=LOOK_TIMEOUT, stream=True), seconds=LOOK_TIMEOUT)
    except requests.RequestException as error:
        return f"GET {url}: {error}"
    return None if answer.ok else f"GET {url}: status {answer.status_code}"


def _of_command(command: str, variables: Mapping[str, str]) -> str | None:
    said: deque[str] = deque(maxlen=OUTPUT_LINES)
    argv = ["/bin/sh", "-c", command]
    running = process.start(lambda _: argv, cwd=Path.cwd(), env={**os.environ, **variables})
    done = running.follow(on_line=said.append, timeout=LOOK_TIMEOUT, cancel=Event())
    if done.ended is not Ended.BY_ITSELF:
        return f"{command}: no end after {LOOK_TIMEOUT:g} s"
    if done.returncode == 0:
        return None
    return "\n".join([f"{command}: exit code {done.returncode}", *said])
