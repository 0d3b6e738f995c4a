from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from curtainup.pipeline import canary
from curtainup.pipeline.canary import Canary
from tests.proxies import Proxy, serving
from tests.sessions import world


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with serving() as found:
        yield found


@pytest.mark.parametrize(("status", "well"), [(200, True), (204, True), (404, False), (503, False)])
def test_a_url_is_well_below_400(proxy: Proxy, status: int, well: bool) -> None:
    proxy.status = status
    url = f"http://127.0.0.1:{proxy.port}/errors"
    assert canary.trouble(url, {}) == (None if well else f"GET {url}: status {status}")


def test_a_url_that_does_not_answer_is_not_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    assert "GET http://127.0.0.1:1/: " in str(canary.trouble("http://127.0.0.1:1/", {}))


def test_a_command_is_a_shell_s_and_finds_the_variables() -> None:
    assert canary.trouble('test "$CURTAINUP_RELEASE" = r1 | cat', {"CURTAINUP_RELEASE": "r1"}) is None
    assert canary.trouble("echo no; exit 4", {}) == "echo no; exit 4: exit code 4\nno"


def test_a_command_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(canary, "LOOK_TIMEOUT", 0.1)
    assert canary.trouble("exec sleep 60", {}) == "exec sleep 60: no end after 0.1 s"


def test_the_configured_one_is_that_of_the_environment(tmp_path: Path) -> None:
    text = "canary: [10, 50]\ncanary_every: 1h30m\ncanary_watch: ./errors.sh\n"
    config = world(tmp_path, text).session.service.config.for_environment("live")
    assert Canary.of(config) == Canary((10, 50), 5400, "./errors.sh")
