from __future__ import annotations

import json
import ssl
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from curtainup.errors import SetupError
from curtainup.platforms import prometheus as client
from curtainup.platforms.prometheus import Reading, Server, reading
from tests.prometheus import Prometheus, prometheus


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> Iterator[Prometheus]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with prometheus() as found:
        yield found


def server(known: Prometheus, **headers: str) -> Server:
    return Server(known.url, lambda: headers)


def said(kind: str, result: Any, **more: Any) -> bytes:
    return json.dumps({"status": "success", "data": {"resultType": kind, "result": result}, **more}).encode()


def test_one_number_is_the_value(known: Prometheus) -> None:
    known.values = {"sum(rate(errors_total[5m]))": ["0.25"]}
    assert server(known).ask("sum(rate(errors_total[5m]))") == Reading(0.25)


def test_a_scalar_is_a_number_too() -> None:
    assert reading(200, said("scalar", [1.5, "3"])) == Reading(3.0)


@pytest.mark.parametrize("value", ["NaN", "+Inf", "-Inf"])
def test_what_is_not_finite_is_no_value(known: Prometheus, value: str) -> None:
    known.values = {"a / b": [value]}
    found = server(known).ask("a / b")
    assert (found.value, found.again, found.is_bad_query) == (None, False, False)
    assert found.trouble == f"the value is {value}, as after a division by zero"


def test_no_series_is_no_data(known: Prometheus) -> None:
    assert server(known).ask("up") == Reading(trouble="there is no data")


def test_several_series_are_a_mistake_of_the_query(known: Prometheus) -> None:
    known.values = {"up": ["1", "0"]}
    found = server(known).ask("up")
    assert found.is_bad_query
    assert found.trouble == "the query gives 2 series, not one: aggregate them, as by sum()"


def test_a_query_that_cannot_be_parsed_is_a_mistake_in_the_server_s_words(known: Prometheus) -> None:
    found = server(known).ask("sum(up")
    assert (found.value, found.is_bad_query, found.again) == (None, True, False)
    assert found.trouble == (
        "it answers with status 400: invalid parameter \"query\": 1:1: parse error: unclosed '('"
    )


@pytest.mark.parametrize("kind", ["matrix", "string"])
def test_what_is_no_number_is_a_mistake_of_the_query(kind: str) -> None:
    found = reading(200, said(kind, []))
    assert found == Reading(trouble=f"the query gives a {kind}, not a number", is_bad_query=True)


@pytest.mark.parametrize(
    "body",
    [
        b"<html>log in</html>",
        b"",
        b"[]",
        b"\xff\xfe",
        b'{"status": "success"}',
        b'{"status": "success", "data": []}',
        said("vector", {"a": 1}),
        said("vector", [3]),
        said("vector", [{"metric": {}, "histogram": [1, {}]}]),
        said("vector", [{"metric": {}, "value": [1, "zero"]}]),
        said("vector", [{"metric": {}, "value": [1, 0]}]),
        said("scalar", "0"),
        said("tensor", [1, "0"]),
    ],
)
def test_nonsense_is_no_value(body: bytes) -> None:
    found = reading(200, body)
    assert found.value is None
    assert found.trouble


def test_an_answer_that_is_not_complete_is_no_value() -> None:
    found = reading(200, said("vector", [{"metric": {}, "value": [1, "0"]}], warnings=["store a is down"]))
    assert found == Reading(trouble="its answer is not complete: store a is down", again=True)


def test_a_remark_is_no_warning() -> None:
    remark = "PromQL info: metric might not be a counter"
    assert reading(200, said("vector", [{"metric": {}, "value": [1, "0"]}], warnings=[remark])) == Reading(
        0.0
    )


@pytest.mark.parametrize(
    ("status", "again"), [(503, True), (500, True), (429, True), (404, False), (302, False)]
)
def test_a_status_says_whether_asking_again_may_help(status: int, again: bool) -> None:
    found = reading(status, b"")
    assert found == Reading(trouble=f"it answers with status {status}", again=again, is_refused=not again)


def test_google_s_words_are_told() -> None:
    body = json.dumps({"error": {"code": 403, "message": "Permission monitoring.timeSeries.list denied"}})
    found = reading(403, body.encode())
    assert found.trouble == "it answers with status 403: Permission monitoring.timeSeries.list denied"
    assert found.is_refused


def test_the_token_is_sent_and_one_of_netrc_is_not(
    known: Prometheus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login ann password pw\n")
    monkeypatch.setenv("NETRC", str(netrc))
    known.token, known.values = "s3cret", {"up": ["1"]}
    assert server(known, Authorization="Bearer s3cret").ask("up") == Reading(1.0)
    refused = server(known).ask("up")
    assert refused.is_refused
    assert "Authorization" not in known.headers


def test_a_header_that_cannot_be_sent_is_told_without_its_value(known: Prometheus) -> None:
    found = server(known, Authorization="Bearer s3cret…").ask("up")
    assert found == Reading(trouble="a header cannot be sent, as it is not Latin-1", is_refused=True)


def test_a_login_that_is_not_to_be_had_is_no_value(known: Prometheus) -> None:
    def headers() -> dict[str, str]:
        raise SetupError("cannot reach Google Cloud")

    found = Server(known.url, headers).ask("up")
    assert found == Reading(trouble="nobody can log in to it: cannot reach Google Cloud", again=True)


def test_a_server_that_is_not_there_may_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    found = Server("http://127.0.0.1:1", dict).ask("up")
    assert found.again
    assert found.trouble.startswith("it does not answer: ")
    assert "Connection refused" in found.trouble
    assert "query=" not in found.trouble


def test_a_server_that_hangs_is_given_up(known: Prometheus, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "SECONDS", 0.2)
    ended = threading.Event()
    known.before = lambda _: ended.wait(30)
    try:
        assert server(known).ask("up").again
    finally:
        ended.set()


def test_an_answer_without_an_end_is_given_up(known: Prometheus, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "MOST", 10)
    known.values = {"up": ["1"]}
    assert server(known).ask("up").value is None


def test_a_certificate_that_is_not_trusted_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    subject = ["-subj", "/CN=metrics", "-addext", "subjectAltName=IP:127.0.0.1"]
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", *subject]
    subprocess.run([*made, "-keyout", key, "-out", certificate], check=True, capture_output=True)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = said("scalar", [1, "7"])
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name
            """Say nothing."""

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with HTTPServer(("127.0.0.1", 0), Handler) as secure:
        secure.socket = context.wrap_socket(secure.socket, server_side=True)
        thread = threading.Thread(target=secure.serve_forever, args=(0.01,))
        thread.start()
        try:
            url = f"https://127.0.0.1:{secure.server_port}"
            distrusted = Server(url, dict).ask("up")
            trusted = Server(url, dict, str(certificate)).ask("up")
        finally:
            secure.shutdown()
            thread.join()
    assert distrusted.is_refused
    assert "its certificate is not trusted" in distrusted.trouble
    assert trusted == Reading(7.0)


def test_cloud_monitoring_has_the_same_api_below_a_project() -> None:
    assert client.of_project("my-project") == (
        "https://monitoring.googleapis.com/v1/projects/my-project/location/global/prometheus"
    )
