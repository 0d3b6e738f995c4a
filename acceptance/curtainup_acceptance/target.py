"""The target of the tests, which the gate describes in environment variables."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Mapping

HEALTH_TIMEOUT = 5.0
"""Seconds that an answer on the health path may take, if the gate does not say."""


@dataclass(frozen=True)
class Target:
    """One URL of the service, and the facts that the tests expect there; an unknown fact is None.

    `expect_release_header` is for URLs that pass through curtainup's proxy, which names the release
    that answered.
    """

    url: str
    environment: str | None
    version: str | None
    release: str | None
    expect_release_header: bool
    health_path: str
    version_path: str
    health_timeout: float = HEALTH_TIMEOUT


def read_target(environ: Mapping[str, str] = os.environ) -> Target:
    """Return the target that the environment variables describe.

    Raises:
        LookupError: neither CURTAINUP_URL nor PYM_SERVER_HOST is set.

    """
    return Target(
        url=_url(environ),
        environment=environ.get("CURTAINUP_ENVIRONMENT") or environ.get("PYM_ENV"),
        version=environ.get("CURTAINUP_VERSION"),
        release=environ.get("CURTAINUP_RELEASE"),
        expect_release_header=environ.get("CURTAINUP_EXPECT_RELEASE_HEADER") == "1",
        health_path=environ.get("CURTAINUP_HEALTH_PATH", "/ping"),
        version_path=environ.get("CURTAINUP_VERSION_PATH", "/version"),
        health_timeout=float(environ.get("CURTAINUP_HEALTH_TIMEOUT", HEALTH_TIMEOUT)),
    )


def _url(environ: Mapping[str, str]) -> str:
    """Return CURTAINUP_URL, else the URL of PYM_SERVER_HOST and PYM_SERVER_PORT, without a trailing slash."""
    url = environ.get("CURTAINUP_URL")
    if url:
        return url.rstrip("/")
    host = environ.get("PYM_SERVER_HOST")
    if not host:
        raise LookupError("no URL to test: set CURTAINUP_URL, or PYM_SERVER_HOST and PYM_SERVER_PORT")
    host = f"[{host}]" if ":" in host else host
    port = environ.get("PYM_SERVER_PORT", "80")
    if port == "443":
        return f"https://{host}"
    return f"http://{host}" if port == "80" else f"http://{host}:{port}"
