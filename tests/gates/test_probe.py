from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler

import pytest

from curtainup.gates.probe import Probe
from curtainup.gates.tally import ProbeResult
from tests import loopback

PATIENCE = 120.0
Respond = Callable[[BaseHTTPRequestHandler], None]


def answer(handler: BaseHTTPRequestHandler, status: int = 200, release: str | None = None) -> None:
    handler.send_response(status)
    if release:
        handler.send_header("Curtainup-Release", release)
    handler.send_header("Content-Length", "2")
    handler.end_headers()
    handler.wfile.write(b"ok")


@contextmanager
def serving(respond: Respond) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            respond(self)

    with loopback.serving(Handler) as port:
        yield f"http://127.0.0.1:{port}"


def probed(url: str, requests: int = 20) -> ProbeResult:
    probe = Probe(url, rate=500)
    probe.start()
    assert probe.wait_for(requests, timeout=PATIENCE)
    return probe.stop()


def test_counts_and_times_the_answers_of_a_healthy_server() -> None:
    with serving(answer) as url:
        result = probed(url)
    assert result.failures == ()
    (phase,) = result.phases
    assert result.failed == 0
    assert result.failures == ()
    assert result.total == phase.total >= 20
    assert phase.min_ms is not None
    assert phase.median_ms is not None
    assert phase.p95_ms is not None
    assert phase.max_ms is not None
    assert 0 < phase.min_ms <= phase.median_ms <= phase.p95_ms <= phase.max_ms
    assert result.seconds > 0


def test_says_which_release_answered_in_which_phase() -> None:
    live = "r000001"
    with serving(lambda handler: answer(handler, release=live)) as url:
        probe = Probe(url, rate=500)
        probe.start()
        assert probe.wait_for(20, timeout=PATIENCE)
        probe.mark("during")
        live = "r000002"
        assert probe.wait_for(40, timeout=PATIENCE)
        probe.mark("after")
        assert probe.wait_for(20, timeout=PATIENCE)
        result = probe.stop()
    seen = {(segment.phase, segment.release): segment for segment in result.releases}
    assert ("before", "r000001") in seen
    assert ("during", "r000002") in seen
    assert {release for phase, release in seen if phase == "after"} == {"r000002"}
    assert sum(segment.count for segment in result.releases) == result.total
    assert seen["before", "r000001"].first_seen < seen["during", "r000002"].last_seen
    assert [phase.phase for phase in result.phases] == ["before", "during", "after"]


def test_an_answer_without_the_header_names_no_release() -> None:
    with serving(answer) as url:
        result = probed(url)
    assert [segment.release for segment in result.releases] == [None]


def test_a_status_of_500_or_more_is_a_failure_and_404_is_not() -> None:
    with serving(lambda handler: answer(handler, 503)) as url:
        result = probed(url)
    assert result.failed == result.total
    assert len(result.failures) == 20
    assert {failure.what for failure in result.failures} == {"HTTP 503"}
    assert result.phases[0].max_ms is None
    with serving(lambda handler: answer(handler, 404)) as url:
        assert probed(url).failed == 0


def test_a_refused_connection_is_a_failure() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
        result = probed(url)
    assert result.failed == result.total
    assert result.failures[0].what == "ConnectionRefusedError: Connection refused"
    assert result.failures[0].phase == "before"


def test_a_connection_closed_without_an_answer_is_a_failure() -> None:
    def hang_up(handler: BaseHTTPRequestHandler) -> None:
        handler.close_connection = True

    with serving(hang_up) as url:
        result = probed(url)
    assert result.failed == result.total
    assert "RemoteDisconnected" in result.failures[0].what


def test_a_server_that_stalls_is_a_failure_once_the_time_is_over() -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        probe = Probe(f"http://127.0.0.1:{mute.getsockname()[1]}", timeout=0.1, rate=500)
        probe.start()
        assert probe.wait_for(4, timeout=PATIENCE)
        assert probe.tally.failed >= 4
        result = probe.stop()
    assert result.failed == result.total
    assert result.failures[0].what.startswith("TimeoutError")


def test_an_answer_that_never_ends_is_a_failure() -> None:
    over = threading.Event()

    def drip(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        handler.close_connection = True
        try:
            while not over.wait(0.01):
                handler.wfile.write(b".")
        except OSError:
            pass

    with serving(drip) as url:
        probe = Probe(url, timeout=0.2, rate=500)
        probe.start()
        assert probe.wait_for(4, timeout=PATIENCE)
        result = probe.stop()
        over.set()
    assert result.failed == result.total
    assert result.failures[0].what == "TimeoutError: the answer did not end in time"


def test_a_body_cut_short_is_a_failure() -> None:
    def cut(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "10")
        handler.end_headers()
        handler.wfile.write(b"ok")
        handler.close_connection = True

    with serving(cut) as url:
        result = probed(url)
    assert result.failed == result.total
    assert result.failures[0].what.startswith("IncompleteRead")


def test_chunked_and_large_and_empty_bodies_are_read_to_their_end() -> None:
    def mixed(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        handler.wfile.write(b"2\r\nok\r\n30d40\r\n" + b"x" * 200_000 + b"\r\n0\r\n\r\n")

    def empty(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(204)
        handler.end_headers()

    with serving(mixed) as url:
        assert probed(url).failed == 0
    with serving(empty) as url:
        assert probed(url).failed == 0


def test_answers_under_way_at_the_stop_are_awaited() -> None:
    go_on = threading.Event()
    asked = threading.Event()

    def slow(handler: BaseHTTPRequestHandler) -> None:
        asked.set()
        go_on.wait(PATIENCE)
        answer(handler)

    with serving(slow) as url:
        probe = Probe(url, timeout=PATIENCE)
        probe.start()
        assert asked.wait(PATIENCE)
        threading.Timer(0.05, go_on.set).start()
        result = probe.stop()
    assert result.total >= 1
    assert result.failed == 0


def test_half_of_the_workers_keep_their_connection() -> None:
    kept: set[object] = set()
    closing: set[object] = set()

    def note(handler: BaseHTTPRequestHandler) -> None:
        (closing if handler.headers["Connection"] == "close" else kept).add(handler.client_address)
        answer(handler)

    with serving(note) as url:
        probe = Probe(url, rate=500)
        probe.start()
        while len(kept) < 2 or len(closing) <= 10:
            assert probe.wait_for(10, timeout=PATIENCE)
        result = probe.stop()
    assert len(kept) == 2
    assert result.failed == 0


def test_the_request_goes_below_the_path_of_the_url() -> None:
    paths = set()

    def note(handler: BaseHTTPRequestHandler) -> None:
        paths.add(handler.path)
        answer(handler)

    with serving(note) as url:
        probed(f"{url}/v1/")
    assert paths == {"/v1/ping"}


def test_a_probe_that_never_started_can_be_stopped() -> None:
    result = Probe("http://127.0.0.1:1").stop()
    assert (result.total, result.phases, result.releases) == (0, (), ())


def test_the_result_is_plain_json() -> None:
    with serving(lambda handler: answer(handler, release="r000001")) as url:
        result = probed(url)
    assert json.loads(json.dumps(result.as_dict()))["releases"][0]["release"] == "r000001"


@pytest.mark.parametrize("url", ["ftp://host", "/ping", "http://"])
def test_refuses_what_is_no_url(url: str) -> None:
    with pytest.raises(ValueError, match="not an http"):
        Probe(url)
