"""What the proxy refuses is told by the gate, and refused at a gate that goes past the proxy."""

from __future__ import annotations

from curtainup.gates import run_gate
from tests.gates.conftest import MakeGate, MakeService
from tests.gates.serving import HEALTHY, Answer, paths, serve

TESTS = """\
import os
import requests

URL = os.environ["CURTAINUP_URL"]


def test_a_large_cookie():
    assert requests.get(URL + "/ping", headers={"Cookie": "c=" + "x" * 20000}, timeout=10).status_code == 200


def test_a_large_answer():
    assert requests.get(URL + "/big", timeout=10).status_code == 200
"""
BIG = Answer(headers={"X-Big": "b" * 20_000})
SERVICE = {"testaccept/test_it.py": TESTS}


def test_headers_that_the_proxy_would_refuse_fail_where_there_is_none(
    make_service: MakeService, gate: MakeGate
) -> None:
    with serve(paths({**HEALTHY, "/big": BIG})) as served:
        result = run_gate(gate(make_service(SERVICE), url=served.url, header_limit=15 * 1024))

    assert len(result.failed) == 2
    assert "the proxy refused a request" in str(result.reason)
    assert "the proxy refused an answer" in str(result.reason)
    assert "`header_limit` in pym-config.yaml allows 15360" in result.failed[0].excerpt


def test_a_larger_limit_lets_them_pass(make_service: MakeService, gate: MakeGate) -> None:
    with serve(paths({**HEALTHY, "/big": BIG})) as served:
        assert run_gate(gate(make_service(SERVICE), url=served.url, header_limit=32 * 1024)).passed


def test_what_the_proxy_itself_refuses_is_told(make_service: MakeService, gate: MakeGate) -> None:
    release = {"Curtainup-Release": "r7f3a1c2"}
    named = {path: Answer(answer.body, 200, release) for path, answer in HEALTHY.items()}
    answers = {
        **named,
        "/ping": Answer("Bad request", 400),
        "/big": Answer("", 502, {"Curtainup-Refused": "answer"}),
    }
    with serve(paths(answers)) as served:
        result = run_gate(
            gate(make_service(SERVICE), url=served.url, release="r7f3a1c2", expect_release_header=True)
        )

    assert "the proxy refused a request" in str(result.reason)
    assert "the proxy refused an answer" in str(result.reason)
    assert "header_limit" in str(result.reason)


def test_a_release_s_own_400_is_its_own(make_service: MakeService, gate: MakeGate) -> None:
    answers = {**HEALTHY, "/big": Answer("no", 400, {"Curtainup-Release": "r7f3a1c2"})}
    with serve(paths(answers)) as served:
        result = run_gate(
            gate(make_service(SERVICE), url=served.url, expect_release_header=True, release="x")
        )

    assert "refused an answer" not in str(result.reason)
