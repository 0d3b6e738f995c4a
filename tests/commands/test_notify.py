from __future__ import annotations

from pathlib import Path

import pytest

from curtainup.commands import notify as trial
from curtainup.commands.notify import Tried
from curtainup.errors import ConfigError, NotifyFailed
from tests.reporting.notify.servers import hook
from tests.sessions import world


def test_everybody_who_is_named_gets_the_text(tmp_path: Path) -> None:
    text = "notify: [ONE_URL, {url_env: TWO_URL, events: [failed]}]\n"
    with hook() as one, hook() as two:
        session = world(tmp_path, text, environ={"ONE_URL": one.url, "TWO_URL": two.url}).session
        tried = trial.tell(session, "anybody there?")

    assert one.titles() == two.titles() == ["shop: anybody there?"]
    assert trial.render(tried) == "ONE_URL: sent\nTWO_URL: sent"
    trial.require_sent(tried)


def test_who_is_not_reached_is_told_with_the_reason(tmp_path: Path) -> None:
    with hook() as one:
        one.status = 401
        environ = {"ONE_URL": one.url, "NOT_SET": " "}
        session = world(tmp_path, "notify: [ONE_URL, NOT_SET]\n", environ=environ).session
        tried = trial.tell(session, "anybody there?")

    assert tried[1] == Tried("NOT_SET", "it is not set")
    assert "401" in str(tried[0].why)
    with pytest.raises(NotifyFailed, match="ONE_URL, NOT_SET: not sent"):
        trial.require_sent(tried)


def test_nobody_named_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="nobody is named"):
        trial.tell(world(tmp_path).session, "anybody there?")
