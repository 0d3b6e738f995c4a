"""What tests, containers, the engine and the hosts of reviews answer."""

from __future__ import annotations

import json
import struct
from contextlib import suppress

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st
from pulumi.automation import CommandResult
from pulumi.automation.errors import CommandError

from curtainup.engine.errors import translated
from curtainup.errors import ReviewFailed
from curtainup.gates.junit import read_report, redact_report
from curtainup.platforms.docker.attached import Frames
from curtainup.platforms.docker.listening_ports import parse
from curtainup.platforms.haproxy import maintenance
from curtainup.platforms.kubernetes import inside
from curtainup.reporting.review import api
from curtainup.reporting.review.api import Comments
from curtainup.reporting.review.models import Host, Request
from curtainup.reporting.review.post import HOSTS
from curtainup.reporting.text import render_error
from curtainup.setup.trust import parse_pip_settings
from curtainup.util import chunks, durations
from curtainup.util.plain import clean
from curtainup.util.redaction import redactor
from curtainup.util.secrets import Secret
from tests.fuzz.inputs import changed, documents, values

pytestmark = pytest.mark.fuzz

REPORT = b"""<testsuites><testsuite name="pytest" tests="2"><testcase classname="t.test_a" name="test_it"
file="t/test_a.py" line="7">
<failure message="no">t/test_a.py:9: in it&#10;&gt; x&#10;E no</failure></testcase>
<testcase classname="t" name="b"><skipped/></testcase></testsuite></testsuites>"""
PAGE = b"""proc.knows_maintenance: type=sint value=<1>\nproc.maintenance: type=str value=<PHA+>\n"""
STATUS = b"""{"status": "Failure", "details": {"causes": [{"reason": "ExitCode", "message": "41"}]}}"""
LISTENING = b"""  sl  local_address rem_address   st\n   0: 0100007F:1F90 00000000:0000 0A 0\n"""
REDACT = redactor([Secret("3"), Secret("test_it"), Secret("a longer secret of somebody")])
PIP = b"global.index-url='https://a/'\ninstall.find-links='/x'\n"
URN = "urn:pulumi:live::curtainup::x$docker:index/container:Container::shop"


@given(changed(REPORT) | st.just(b"<a>" * 20_000 + b"</a>" * 20_000))
def test_reports(xml: bytes) -> None:
    with suppress(ValueError):
        read_report(redact_report(xml, REDACT), REDACT)
    with suppress(ValueError):
        read_report(xml, REDACT)


@given(changed(LISTENING).map(lambda text: text.decode(errors="replace")))
def test_tables_of_sockets(table: str) -> None:
    parse(table.splitlines())


@given(changed(PAGE).map(lambda text: text.decode(errors="replace")))
def test_pages_of_haproxy(told: str) -> None:
    found = maintenance.shown(told)
    assert found is None or maintenance.decoded(found) is not None


@given(st.binary(max_size=200), st.lists(st.binary(min_size=1, max_size=50), max_size=5))
def test_frames_of_the_docker_engine(torn: bytes, pieces: list[bytes]) -> None:
    frames = Frames()
    for piece in (torn, *pieces):
        frames.feed(piece)
    whole = b"".join(struct.pack(">BxxxL", 1, len(one)) + one for one in pieces)
    again = Frames()
    shown = [one for byte in whole for one in again.feed(bytes([byte]))]
    assert shown == [(False, one) for one in pieces]


@given(st.binary(max_size=200) | changed(STATUS))
def test_ends_of_commands_in_pods(status: bytes) -> None:
    with suppress(inside.Lost):
        inside.exit_code(status)


@given(st.lists(st.binary(max_size=40) | st.just(b"2026-01-01T00:00:00Z x\n"), max_size=8))
def test_streams_of_containers(stream: list[bytes]) -> None:
    for _, line in chunks.whole(stream):
        assert clean(line).encode() is not None


@given(st.text(), st.text(), st.lists(st.text(), max_size=3))
def test_errors_of_the_engine(out: str, err: str, messages: list[str]) -> None:
    error = translated(CommandError(CommandResult(out, err, 1)), messages, "up of shop-live", [URN])
    assert "\x1b" not in render_error(error)


@given(documents("message", "error", "errors", "error_description"), st.integers(200, 599))
def test_answers_of_a_host(content: bytes, status: int) -> None:
    answer = requests.Response()
    answer.status_code, answer._content = status, content
    assert isinstance(api.limited(answer, api.said(answer)), bool)


@pytest.mark.parametrize("host", HOSTS.values(), ids=lambda host: host.name)
@given(
    content=documents("values", "id", "body", "content", "raw", "html_url", "next", "links"),
    link=st.text(alphabet='<>;="http:/[]next, ?', max_size=30),
)
def test_pages_of_comments(host: Host, content: bytes, link: str) -> None:
    answer = requests.Response()
    answer.status_code, answer._content, answer.headers["Link"] = 200, content, link
    request = Request("request 7", "https://host/comments", "https://host/comment", Secret("a token"))
    with requests.Session() as http, suppress(ReviewFailed):
        Comments(http, host, request)._read(answer, lambda one: host.page(one, request))


@given(
    st.dictionaries(
        st.sampled_from(["Retry-After", "X-RateLimit-Remaining", "X-RateLimit-Reset", "RateLimit-Reset"]),
        st.text() | st.integers().map(str) | st.just("Wed, 21 Oct 99999 07:28:00 GMT"),
    )
)
def test_pauses_that_a_host_asks_for(headers: dict[str, str]) -> None:
    pause = api.pause_asked(headers, 0.0)
    assert pause is None or pause >= 0


@given(st.text() | st.text(alphabet="0123456789dhms"))
def test_durations(text: str) -> None:
    with suppress(ValueError):
        assert durations.parse(text) >= 0


@given(changed(PIP).map(lambda text: text.decode("latin-1")))
def test_settings_of_pip(listed: str) -> None:
    parse_pip_settings(listed)


@given(values(), st.text(min_size=1))
def test_whatever_is_shown_can_be_shown(value: object, secret: str) -> None:
    text = json.dumps(value, ensure_ascii=False)
    for shown in (redactor([Secret(secret)])(text), redactor([Secret(secret)]).ours(text)):
        shown.encode()
        assert clean(shown) == shown
