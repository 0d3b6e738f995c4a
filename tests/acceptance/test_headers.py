"""The headers that the service expects of its users reach it from every test of a gate."""

from __future__ import annotations

from curtainup.gates import run_gate
from tests.gates.conftest import MakeGate, MakeService
from tests.gates.serving import HEALTHY, Answer, paths, serve

HOST, PROTO = "shop.example.com", "X-Forwarded-Proto"
SENT = {"Host": HOST, PROTO: "https"}
TESTS = """\
import http.client
import os
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import requests

URL = os.environ["CURTAINUP_URL"]


def test_requests():
    assert requests.get(URL + "/requests", timeout=10).ok


def test_a_session():
    with requests.Session() as session:
        assert session.get(URL + "/session", timeout=10).ok
        assert session.get(URL + "/session", timeout=10).ok


def test_urllib():
    assert urlopen(URL + "/urllib", timeout=10).status == 200


def test_a_host_of_its_own():
    own = {"Host": "other.example.com", "X-Forwarded-Proto": "http"}
    assert requests.get(URL + "/own", headers=own, timeout=10).ok
    assert urlopen(Request(URL + "/own", headers=own), timeout=10).status == 200


def test_a_redirect_comes_back():
    answer = requests.get(URL + "/redirect", timeout=10)
    assert answer.ok
    assert answer.url == URL + "/there?a=b"
    assert len(answer.history) == 1


def test_another_server_is_left_alone():
    other = http.client.HTTPConnection(urlsplit(OTHER).netloc, timeout=10)
    other.request("GET", "/ping")
    assert other.getresponse().status == 200
"""


def test_every_request_to_the_service_bears_them(make_service: MakeService, gate: MakeGate) -> None:
    redirect = Answer("", 302, {"Location": f"https://{HOST}/there?a=b"})
    pages = {f"/{name}": Answer() for name in ("requests", "session", "urllib", "own", "there?a=b")}
    with (
        serve(paths({**HEALTHY, **pages, "/redirect": redirect})) as served,
        serve(paths(HEALTHY)) as other,
    ):
        files = {"testaccept/test_it.py": TESTS.replace("OTHER", repr(other.url))}
        result = run_gate(gate(make_service(files), url=served.url, headers=SENT))

    assert result.failed == ()
    assert result.passed
    own = {"Host": "other.example.com", PROTO: "http"}
    for path, headers in zip(served.asked, served.heard, strict=True):
        expected = own if path == "/own" else SENT
        assert {name: headers.get(name) for name in expected} == expected, path
    assert [headers["Host"] for headers in other.heard] == [other.url.removeprefix("http://")]
    assert PROTO not in other.heard[0]


def test_without_them_nothing_changes(make_service: MakeService, gate: MakeGate) -> None:
    with serve(paths(HEALTHY)) as served:
        assert run_gate(gate(make_service({}), url=served.url)).passed
    assert {headers["Host"] for headers in served.heard} == {served.url.removeprefix("http://")}


def test_a_slow_answer_is_allowed_as_long_as_the_key_says(make_service: MakeService, gate: MakeGate) -> None:
    result = run_gate(gate(make_service({}), health_timeout=0))
    assert "`health_timeout: 0` allows less" in result.failed[0].message
