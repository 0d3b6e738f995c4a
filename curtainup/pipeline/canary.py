"""A canary: traffic moves in steps, with a pause after each in which the new release has to prove itself."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass

from curtainup.config import EnvironmentConfig

PERIOD = 5.0
"""Seconds between two looks at what must stay healthy."""
LOOK_TIMEOUT = 30.0
"""Seconds that one look may take."""
OUTPUT_LINES = 20


@dataclass(frozen=True)
class Canary:
    """How traffic moves to a new release.

    Attributes:
        shares: per cent it gets, one after another, before it gets all.
        every: seconds that it keeps each share.
        watch: a URL, or a command for the shell, that must stay healthy meanwhile; None watches by the
            probe alone.

    """

    shares: tuple[int, ...] = ()
    every: float = 0.0
    watch: str | None = None

    @classmethod
    def of(cls, config: EnvironmentConfig) -> Canary:
        """Return the canary that an environment is configured for."""
        return cls(config.canary, config.canary_every, config.canary_watch)


def trouble(watch: str, variables: Mapping[str, str]) -> str | None:
    """Look once at what must stay healthy; return what is wrong with it, None when nothing is.

    A URL must answer with a status below 400, a command must end with exit code 0, each in 30 s.

    Args:
        watch: the URL or command.
        variables: that the command finds besides those of this process.

    """
    if watch.startswith(("http://", "https://")):
        return _of_url(watch)
    return _of_command(watch, variables)


def _of_url(url: str) -> str | None:
    import requests

    try:
        answer = requests.get(url, timeout=LOOK_TIMEOUT)
    except requests.RequestException as error:
        return f"GET {url}: {error}"
    return None if answer.ok else f"GET {url}: status {answer.status_code}"


def _of_command(command: str, variables: Mapping[str, str]) -> str | None:
    try:
        done = subprocess.run(
            ["/bin/sh", "-c", command],
            env={**os.environ, **variables},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=LOOK_TIMEOUT,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"{command}: no end after {LOOK_TIMEOUT:g} s"
    if done.returncode == 0:
        return None
    said = done.stdout.decode(errors="replace").splitlines()[-OUTPUT_LINES:]
    return "\n".join([f"{command}: exit code {done.returncode}", *said])
