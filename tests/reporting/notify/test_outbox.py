"""The process that sends, against real servers on loopback."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest

from curtainup.reporting.notify import outbox
from curtainup.reporting.notify.messages import Message
from curtainup.reporting.notify.outbox import Outbox, Undelivered
from curtainup.util.secrets import Secret
from tests.reporting.notify.servers import TOKEN, Hook, hook, mailbox

LONG = 60.0
"""Seconds that a test waits at most: no message that is sent takes as long."""
START = Message("start", "info", "hello: it has started", "- by: ann")
LIVE = Message("live", "success", "hello: v2 serves", "- url: <http://127.0.0.1:8080>\n- by: ann")


@pytest.fixture
def good() -> Iterator[Hook]:
    with hook() as one:
        yield one


def test_messages_arrive_in_their_order(good: Hook) -> None:
    box = Outbox({"HOOK": Secret(good.url)})
    box.put("HOOK", START)
    box.put("HOOK", LIVE)

    assert box.close(LONG) == []
    assert good.titles() == [START.title, LIVE.title]
    assert good.received[1]["message"] == LIVE.body
    assert good.received[1]["type"] == "success"


def test_mail_comes_as_text_and_as_html() -> None:
    with mailbox() as box:
        sending = Outbox({"MAIL": Secret(box.url)})
        sending.put("MAIL", LIVE)
        assert sending.close(LONG) == []

    [mail] = box.received
    assert mail["Subject"] == LIVE.title
    plain, rich = (mail.get_body((kind,)) for kind in ("plain", "html"))
    assert plain is not None
    assert plain.get_content().split() == ["-", "url:", "http://127.0.0.1:8080", "-", "by:", "ann"]
    assert rich is not None
    assert '<a href="http://127.0.0.1:8080">' in rich.get_content()


def test_what_is_refused_is_told_without_the_address(good: Hook) -> None:
    good.status = 403
    box = Outbox({"HOOK": Secret(good.url)})
    box.put("HOOK", START)

    [failure] = box.close(LONG)

    assert (failure.to, failure.title) == ("HOOK", START.title)
    assert "403" in failure.why
    assert TOKEN not in failure.why


def test_an_address_that_nobody_is_at_holds_up_no_other(good: Hook) -> None:
    box = Outbox({"DEAD": Secret(f"json://127.0.0.1:1/{TOKEN}"), "HOOK": Secret(good.url)})
    box.put("DEAD", START)
    box.put("HOOK", START)

    [failure] = box.close(LONG)

    assert failure.to == "DEAD"
    assert "onnection" in failure.why
    assert TOKEN not in failure.why
    assert good.titles() == [START.title]


def test_an_address_that_never_answers_is_given_up(good: Hook) -> None:
    good.open.clear()
    box = Outbox({"HOOK": Secret(good.url)})
    box.put("HOOK", START)
    assert box.close(0.2) == [Undelivered("HOOK", START.title, "no answer came within 0 s of the end")]


def test_what_is_no_apprise_url_is_told_without_it() -> None:
    box = Outbox({"ODD": Secret("frobnicate://" + TOKEN)})
    box.put("ODD", START)
    assert box.close(LONG) == [Undelivered("ODD", START.title, "Apprise does not know this kind of URL")]


def test_a_process_that_cannot_be_started_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "SENDER", ("/nonexistent/python",))
    box = Outbox({"HOOK": Secret("json://127.0.0.1:1")})
    box.put("HOOK", START)
    assert box.close(LONG) == [
        Undelivered("HOOK", START.title, "the process that sends messages did not start")
    ]


def test_a_process_that_dies_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "SENDER", ("false",))
    box = Outbox({"HOOK": Secret("json://127.0.0.1:1")})
    box.put("HOOK", START)
    assert box.close(LONG) == [
        Undelivered("HOOK", START.title, "the process that sends messages ended with exit code 1")
    ]


def test_ctrl_c_ends_the_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    when_waited_for = "import os, signal, sys, time; sys.stdin.read(); os.kill(os.getppid(), signal.SIGINT)"
    sender = (sys.executable, "-c", f"{when_waited_for}; time.sleep(600)")
    monkeypatch.setattr(outbox, "SENDER", sender)
    box = Outbox({"HOOK": Secret("json://127.0.0.1:1")})
    box.put("HOOK", START)
    assert box.close(LONG) == [Undelivered("HOOK", START.title, "no answer came before Ctrl-C")]


def test_without_a_message_no_process_is_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "SENDER", ("/nonexistent/python",))
    assert Outbox({"HOOK": Secret("json://127.0.0.1:1")}).close(LONG) == []


def test_apprise_is_no_part_of_the_run() -> None:
    seen = (
        "import sys, curtainup.pipeline.run.recorded, curtainup.commands.notify; "
        "print('apprise' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", seen], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
