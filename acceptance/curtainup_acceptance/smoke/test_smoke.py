"""What is asked of every service, at any URL, in well under a second."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Iterator

import pytest
import requests

from curtainup_acceptance.session import ServiceSession
from curtainup_acceptance.target import Target

HEALTH_LIMIT = 5.0  # seconds
BURST = 20  # requests at once
UNKNOWN_PATH = "/curtainup-smoke/there-is-no-such-path"
RELEASE_HEADER = "Curtainup-Release"


# Not the plugin's `http`: a service may have a fixture of that name.
@pytest.fixture
def curtainup_session(curtainup_target: Target) -> Iterator[ServiceSession]:
    with ServiceSession(curtainup_target.url) as session:
        yield session


def test_smoke_health(curtainup_target: Target, curtainup_session: ServiceSession) -> None:
    started = time.monotonic()
    answer = curtainup_session.get(curtainup_target.health_path)
    seconds = time.monotonic() - started

    assert answer.ok, _said(answer)
    assert seconds < HEALTH_LIMIT, f"{answer.url} took {seconds:.1f} s, more than {HEALTH_LIMIT:g} s"


def test_smoke_keep_alive(curtainup_target: Target, curtainup_session: ServiceSession) -> None:
    for _ in range(3):
        answer = curtainup_session.get(curtainup_target.health_path)
        assert answer.ok, _said(answer)


def test_smoke_new_connections(curtainup_target: Target, curtainup_session: ServiceSession) -> None:
    for _ in range(3):
        answer = curtainup_session.get(curtainup_target.health_path, headers={"Connection": "close"})
        assert answer.ok, _said(answer)


def test_smoke_burst(curtainup_target: Target) -> None:
    with ThreadPoolExecutor(BURST) as pool:
        wrong = [text for text in pool.map(_ask_alone, [curtainup_target] * BURST) if text]

    assert not wrong, f"{len(wrong)} of {BURST} requests at once failed, the first: {wrong[0]}"


def test_smoke_unknown_path(curtainup_session: ServiceSession) -> None:
    answer = curtainup_session.get(UNKNOWN_PATH)

    assert 400 <= answer.status_code < 500, f"an unknown path must be a client's error: {_said(answer)}"


def test_smoke_version(curtainup_target: Target, curtainup_session: ServiceSession) -> None:
    if not curtainup_target.version or not curtainup_target.version_path:
        pytest.skip("there is no version to expect")
    answer = curtainup_session.get(curtainup_target.version_path)
    if answer.status_code in (401, 403, 404):
        pytest.skip(f"the service shows no version: {_said(answer)}")

    assert answer.ok, _said(answer)
    assert curtainup_target.version in answer.text, (
        f"{answer.url} does not name the version under test, {curtainup_target.version}: {_said(answer)}"
    )


def test_smoke_release(curtainup_target: Target, curtainup_session: ServiceSession) -> None:
    if not curtainup_target.expect_release_header:
        pytest.skip("this URL does not pass through curtainup's proxy")
    answer = curtainup_session.get(curtainup_target.health_path)
    release = answer.headers.get(RELEASE_HEADER)

    assert release == curtainup_target.release, (
        f"{answer.url} was answered by release {release}, not by {curtainup_target.release}"
    )


def _ask_alone(target: Target) -> str | None:
    """What went wrong with one request on a connection of its own, or None."""
    try:
        with ServiceSession(target.url) as session:
            answer = session.get(target.health_path)
    except requests.RequestException as error:
        return str(error)
    return None if answer.ok else _said(answer)


def _said(answer: requests.Response) -> str:
    """The answer in one line, for a failed assertion."""
    return f"{answer.request.method} {answer.url} -> {answer.status_code} {answer.text[:200]!r}"
