"""What a release is asked, and what each wrong answer is told to mean."""

from __future__ import annotations

import http.client
from typing import Any

import pytest

from curtainup.config import ServiceConfig
from curtainup.gates import asking
from curtainup.gates.asking import Asking, trouble_of_answer, trouble_of_error
from curtainup.gates.health import answers
from curtainup.gates.http import Answer
from curtainup.model.trouble import Trouble
from tests.gates.serving import HEALTHY, paths, serve

URL = "http://127.0.0.1:8001"
PING = Asking("/ping")


def config(**keys: Any) -> ServiceConfig:
    return ServiceConfig.model_validate({"name": "shop", **keys}, strict=False)


def asked(environment: str = "live", *, routed: bool = False, **keys: Any) -> Asking:
    service = config(**keys)
    return asking.of_environment(service, service.for_environment(environment), routed=routed)


def wrong(status: int, location: str | None = None, how: Asking = PING) -> Trouble:
    found = trouble_of_answer(how, URL, Answer(status, None, location))
    assert found is not None
    return found


def test_nothing_is_sent_that_nobody_asked_for() -> None:
    assert asked() == Asking("/ping", None, https=False, timeout=5)
    assert asked().headers == {}


def test_the_public_address_is_what_users_send() -> None:
    assert asked(live_host="shop.example.com").headers == {"Host": "shop.example.com"}
    assert asked(live_url="https://shop.example.com:8443/x").headers == {
        "Host": "shop.example.com:8443",
        "X-Forwarded-Proto": "https",
    }


def test_an_environments_own_host_comes_first() -> None:
    keys: dict[str, Any] = {
        "live_host": "shop.example.com",
        "environments": {"staging": {"health_host": "s.example.com"}},
    }
    assert asked("staging", **keys).host == "s.example.com"
    assert asked("live", **keys).host == "shop.example.com"


def test_a_target_that_finds_the_service_by_its_host_gets_no_other() -> None:
    found = asked(routed=True, live_url="https://shop.example.com", health_timeout=9)
    assert found == Asking("/ping", timeout=9)


@pytest.mark.parametrize("status", [200, 204])
def test_success_is_no_trouble(status: int) -> None:
    assert trouble_of_answer(PING, URL, Answer(status, None)) is None


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503])
def test_what_goes_away_by_itself_is_waited_for(status: int) -> None:
    assert not wrong(status).lasting


@pytest.mark.parametrize("status", [301, 400, 401, 403, 404, 405, 410, 421])
def test_what_does_not_go_away_is_final(status: int) -> None:
    assert wrong(status).lasting


def test_a_redirect_to_https_names_its_goal_and_both_ways_out() -> None:
    found = wrong(301, "https://127.0.0.1:8001/ping")
    assert found.what == "GET /ping: HTTP 301, a redirect to https://127.0.0.1:8001/ping"
    assert "exempt /ping" in found.fix
    assert "X-Forwarded-Proto" in found.fix
    assert "live_url: https://" in found.fix


def test_a_redirect_to_https_though_the_request_says_that_it_is() -> None:
    found = wrong(301, "https://shop.example.com/ping", Asking("/ping", "shop.example.com", https=True))
    assert "trust the header X-Forwarded-Proto" in found.fix


def test_a_redirect_to_another_host_names_it() -> None:
    assert "health_host: www.example.com" in wrong(301, "http://www.example.com/ping").fix


@pytest.mark.parametrize("location", ["/ping/", "http://127.0.0.1:8001/ping/", "ping/"])
def test_a_redirect_to_another_path_names_it(location: str) -> None:
    found = wrong(308, location)
    assert found.what == "GET /ping: HTTP 308, a redirect to http://127.0.0.1:8001/ping/"
    assert found.fix.endswith("such as /ping/")


@pytest.mark.parametrize("status", [400, 403, 421])
def test_a_refused_host_is_named(status: int) -> None:
    assert "refuses the header Host: 127.0.0.1:8001" in wrong(status).what
    assert "health_host" in wrong(status).fix
    assert "Host: shop.example.com" in wrong(status, how=Asking("/ping", "shop.example.com")).what


def test_a_slow_answer_names_the_key() -> None:
    found = trouble_of_error(Asking("/ping", timeout=3), TimeoutError("timed out"))
    assert found.what == "GET /ping: no answer within 3 s"
    assert "health_timeout: 3" in found.fix


def test_a_server_that_speaks_tls_is_named() -> None:
    found = trouble_of_error(PING, http.client.BadStatusLine("\x15\x03\x01\x00\x02\x02F"))
    assert "speaks TLS" in found.what


def test_the_headers_are_sent() -> None:
    with serve(paths(HEALTHY)) as served:
        assert answers(served.url, Asking("/ping", "shop.example.com", https=True))
    assert served.heard[0]["Host"] == "shop.example.com"
    assert served.heard[0]["X-Forwarded-Proto"] == "https"
    assert len(served.heard) == 1
