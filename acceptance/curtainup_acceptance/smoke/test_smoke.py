"""The tests that every service must pass, at any URL, in well under a second."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Iterator

import pytest
import requests

from curtainup_acceptance.session import READ_TIMEOUT, ServiceSession
from curtainup_acceptance.target import Target

BURST = 20  # requests at once
UNKNOWN_PATH = "/curtainup-smoke/there-is-no-such-path"
RELEASE_HEADER = "Curtainup-Release"


# The suite does not use the plugin's `http`, because a service may have its own fixture of that name.
@pytest.fixture
def session(curtainup_target: Target) -> Iterator[ServiceSession]:
    """A session for this module."""
    with _session(curtainup_target) as session:
        yield session


def test_smoke_health(curtainup_target: Target, session: ServiceSession) -> None:
    started = time.monotonic()
    answer = _get(session, curtainup_target.health_path)
    seconds = time.monotonic() - started

    limit = curtainup_target.health_timeout
    _check(answer.ok, _said(answer))
    _check(seconds < limit, f"{answer.url} took {seconds:.1f} s; `health_timeout: {limit:g}` allows less")


def test_smoke_keep_alive(curtainup_target: Target, session: ServiceSession) -> None:
    for _ in range(3):
        answer = _get(session, curtainup_target.health_path)
        _check(answer.ok, _said(answer))


def test_smoke_new_connections(curtainup_target: Target) -> None:
    for _ in range(3):
        with _session(curtainup_target) as session:
            answer = _get(session, curtainup_target.health_path)
        _check(answer.ok, _said(answer))


def test_smoke_burst(curtainup_target: Target) -> None:
    with ThreadPoolExecutor(BURST) as pool:
        wrong = [text for text in pool.map(_ask_alone, [curtainup_target] * BURST) if text]

    _check(not wrong, f"{len(wrong)} of {BURST} requests at once failed, such as: {''.join(wrong[:1])}")


def test_smoke_unknown_path(session: ServiceSession) -> None:
    answer = _get(session, UNKNOWN_PATH)

    _check(400 <= answer.status_code < 500, f"an unknown path must give a client error: {_said(answer)}")


def test_smoke_version(curtainup_target: Target, session: ServiceSession) -> None:
    version = curtainup_target.version
    if not version or not curtainup_target.version_path:
        pytest.skip("the expected version is not known")
    answer = _get(session, curtainup_target.version_path)
    if answer.status_code in (401, 403, 404):
        pytest.skip(f"the service shows no version: {_said(answer)}")

    _check(answer.ok, _said(answer))
    _check(version in answer.text, f"the version under test, {version}, is not in: {_said(answer)}")


def test_smoke_release(curtainup_target: Target, session: ServiceSession) -> None:
    if not curtainup_target.expect_release_header:
        pytest.skip("this URL does not pass through curtainup's proxy")
    answer = _get(session, curtainup_target.health_path)
    release, expected = answer.headers.get(RELEASE_HEADER), curtainup_target.release

    _check(release == expected, f"{answer.url} was answered by release {release}, not by {expected}")


def _session(target: Target) -> ServiceSession:
    """Return a session that waits for an answer as long as the health check may."""
    return ServiceSession(target.url, read_timeout=max(READ_TIMEOUT, target.health_timeout))


def _check(holds: bool, otherwise: str) -> None:
    """Fail with one line instead of a traceback of this suite."""
    if not holds:
        pytest.fail(otherwise, pytrace=False)


def _get(session: ServiceSession, path: str) -> requests.Response:
    try:
        return session.get(path)
    except requests.RequestException as error:
        pytest.fail(f"GET {session.base_url}{path} -> {error}", pytrace=False)


def _ask_alone(target: Target) -> str | None:
    """Send one request on a new connection; return a description of its failure, or None."""
    try:
        with _session(target) as session:
            answer = session.get(target.health_path)
    except requests.RequestException as error:
        return str(error)
    return None if answer.ok else _said(answer)


def _said(answer: requests.Response) -> str:
    """Describe the answer in one line."""
    return f"{answer.request.method} {answer.url} -> {answer.status_code} {answer.text[:200]!r}"
