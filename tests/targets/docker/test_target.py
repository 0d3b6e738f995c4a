from __future__ import annotations

from collections.abc import Iterator

import pytest

from curtainup.platforms.haproxy.sessions import current_sessions
from tests.proxies import Proxy, serving

NEW = "r0000002"


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    with serving() as found:
        yield found


def test_sessions_are_those_of_releases_alone(proxy: Proxy) -> None:
    proxy.sessions = {"r0000001": "3", NEW: ""}
    assert current_sessions(f"http://127.0.0.1:{proxy.port}") == {"r0000001": 3, NEW: 0}


def test_the_proxy_of_the_deployer_s_network_is_not_asked(
    proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    for name in ("http_proxy", "HTTP_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert current_sessions(f"http://127.0.0.1:{proxy.port}") == {}
