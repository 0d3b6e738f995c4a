from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from curtainup import environments
from curtainup.environments import Environment
from curtainup.release import Deployment
from curtainup.status import EnvironmentStatus, ReleaseStatus, ServiceStatus, render, status
from tests import samples
from tests.proxies import Proxy, serving
from tests.sessions import World, world


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    with serving() as found:
        yield found


def _deployed(folder: Path, port: int, deployment: Deployment) -> World:
    """A service whose live environment is at that port."""
    found = world(folder, "environments: {review: {}}\n")
    settings = samples.environment(port=port)
    environments.apply(found.engine, Environment("shop-live", settings), deployment)
    return found


def _live(found: World) -> EnvironmentStatus:
    by_name = {one.name: one for one in status(found.session).environments}
    assert list(by_name) == ["staging", "live", "review"]
    assert by_name["staging"] == EnvironmentStatus("staging", None, None, ())
    return by_name["live"]


def test_what_serves_and_what_is_kept_is_told(tmp_path: Path, proxy: Proxy) -> None:
    proxy.release = "r0000002"
    found = _deployed(tmp_path, proxy.port, samples.deployment(0, 100, 0, candidate="r0000003"))
    live = _live(found)
    assert live.url == f"http://127.0.0.1:{proxy.port}"
    assert live.answers == "r0000002"
    assert [(one.id, one.traffic, one.candidate) for one in live.releases] == [
        ("r0000001", 0, False),
        ("r0000002", 100, False),
        ("r0000003", 0, True),
    ]
    assert live.releases[0].url == "http://127.0.0.1:20001"


def test_an_environment_that_does_not_answer_is_told(tmp_path: Path) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        found = _deployed(tmp_path, closed.getsockname()[1], samples.deployment(100))
        assert _live(found).answers is None


def test_an_environment_without_releases_is_not_asked(tmp_path: Path, proxy: Proxy) -> None:
    assert _live(_deployed(tmp_path, proxy.port, Deployment())).answers is None


def test_an_update_that_was_cut_off_before_any_output_is_not_deployed(tmp_path: Path, proxy: Proxy) -> None:
    found = _deployed(tmp_path, proxy.port, samples.deployment(100))
    stack = found.engine.stacks["shop-live"]
    found.engine.stacks["shop-live"] = type(stack)(**{**vars(stack), "outputs": {}})
    assert _live(found).url is None


def _release(number: int, traffic: int, *, candidate: bool = False) -> ReleaseStatus:
    return ReleaseStatus(
        f"r000000{number}", f"v{number}", "image", traffic, f"http://127.0.0.1:{number}", candidate=candidate
    )


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ("r0000001", "answers"),
        (None, "no answer"),
        ("r0000002", "answered by r0000002, which should have no traffic"),
        ("r0000009", "answered by r0000009, which should have no traffic"),
    ],
)
def test_the_text_has_a_line_per_release_newest_first(answers: str | None, said: str) -> None:
    releases = (_release(1, 100), _release(2, 0, candidate=True))
    live = EnvironmentStatus("live", "http://x", answers, releases)
    staging = EnvironmentStatus("staging", None, None, ())
    assert render(ServiceStatus("shop", (staging, live))).splitlines() == [
        "shop staging: not deployed",
        f"shop live: http://x  {said}",
        "    0 %  v2  r0000002  http://127.0.0.1:2  candidate",
        "  100 %  v1  r0000001  http://127.0.0.1:1",
    ]


def test_the_text_of_an_environment_without_releases() -> None:
    live = EnvironmentStatus("live", "http://x", None, ())
    assert render(ServiceStatus("shop", (live,))) == "shop live: http://x  no release"
