"""Visitors of a canary who keep their cookie: who has a release keeps it while it is there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest
import requests

from tests.e2e.service import Service, session
from tests.prometheus import prometheus

pytestmark = pytest.mark.matrix(
    reason="test_canary.py's test_each_step_is_kept_and_watched shows the shares; units the variables"
)
VISITORS = 300
METRIC = {"name": "nothing", "query": "nothing", "at_most": 0}


class Visitors:
    """People with a browser each, which keeps its cookies."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._browsers = [session() for _ in range(VISITORS)]

    def visit(self) -> list[str]:
        """Return by visitor which release answers."""
        url = f"{self._service.url('live')}/ping"
        return [self._told(browser.get(url, timeout=30)) for browser in self._browsers]

    def _told(self, answer: requests.Response) -> str:
        assert answer.status_code == 200
        return answer.headers["Curtainup-Release"]


@pytest.fixture(scope="module")
def sticky(service: Service) -> Iterator[Service]:
    """The service on live with sticky visitors. There is no data, so its canaries pause at 20 % and 60 %."""
    with prometheus() as known:
        live = {"canary": [20, 60], "canary_every": "1s", "canary_metrics": [METRIC]}
        service.configure(sticky=True, metrics_url=known.url, environments={"live": live})
        service.deploy()
        yield service


def test_who_has_the_canary_keeps_it_as_its_share_rises(sticky: Service) -> None:
    visitors = Visitors(sticky)
    [old] = set(visitors.visit())
    sticky.greet("to some")
    sticky.deploy(code=36)

    first = visitors.visit()
    assert visitors.visit() == first
    new = next(one for one in first if one != old)
    assert 0.1 < Counter(first)[new] / VISITORS < 0.32

    sticky.run("promote", code=36)
    second = visitors.visit()
    assert all(after == new for before, after in zip(first, second, strict=True) if before == new)
    assert 0.48 < Counter(second)[new] / VISITORS < 0.72

    sticky.run("promote")
    assert set(visitors.visit()) == {new}


def test_who_has_a_canary_that_is_taken_back_gets_what_serves(sticky: Service) -> None:
    visitors = Visitors(sticky)
    [old] = set(visitors.visit())
    sticky.greet("taken back")
    sticky.deploy(code=36)
    assert len(set(visitors.visit())) == 2
    sticky.run("rollback")
    assert set(visitors.visit()) == {old}


def test_a_cookie_is_set_once_and_no_script_reads_it(sticky: Service) -> None:
    url = f"{sticky.url('live')}/ping"
    with session() as browser:
        first, second = browser.get(url, timeout=30), browser.get(url, timeout=30)
    assert first.headers["Set-Cookie"].startswith("curtainup-visitor=")
    assert first.headers["Set-Cookie"].endswith("; Path=/; HttpOnly; SameSite=Lax")
    assert "Set-Cookie" not in second.headers


def test_a_second_deployment_moves_nothing(sticky: Service) -> None:
    sticky.deploy("--no-metrics")
    updates = sticky.updates()
    assert "nothing had to move" in sticky.deploy().err
    assert sticky.updates() == updates
