"""Who is told of what: `runs.recorded` against a web hook on loopback."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from curtainup.errors import Interrupted, ReturnFailed, SourceError, TrafficReturned
from curtainup.pipeline.run import recorded as runs
from curtainup.pipeline.run.record import Recorder
from tests.reporting.notify.servers import TOKEN, Hook, hook
from tests.sessions import World, world

SECRET = "open sesame"


@dataclass(frozen=True)
class Came:
    changed: bool
    url: str = "http://127.0.0.1:8080"
    version: str = "v2"
    release: str = "r2"


@pytest.fixture
def told() -> Iterator[Hook]:
    with hook() as one:
        yield one


def of(folder: Path, told: Hook, text: str = "notify: [HOOK_URL]") -> World:
    text = f"env_secrets: [PASSWORD]\n{text}\n"
    return world(folder, text, {"PASSWORD": SECRET}, environ={"HOOK_URL": told.url})


def one_step(result: Any) -> Callable[[Recorder], Any]:
    def work(recorder: Recorder) -> Any:
        recorder.step_started("build")
        recorder.step_started("unit")
        if isinstance(result, BaseException):
            raise result
        return result

    return work


def test_a_deployment_is_told_at_its_start_and_its_end(tmp_path: Path, told: Hook) -> None:
    made = of(tmp_path, told)

    runs.recorded(made.session, "deploy", one_step(Came(changed=True)))

    assert told.titles() == ["shop: deploy has started", "shop: v2 serves in live"]
    assert made.report.warnings == []


def test_of_a_run_that_finds_nothing_to_do_nobody_is_told_unasked(tmp_path: Path, told: Hook) -> None:
    runs.recorded(of(tmp_path, told).session, "deploy", lambda _: Came(changed=False))
    assert told.titles() == []


def test_of_nothing_to_do_one_is_told_who_asks(tmp_path: Path, told: Hook) -> None:
    text = "notify: [{url_env: HOOK_URL, events: [unchanged]}]"
    runs.recorded(of(tmp_path, told, text).session, "deploy", lambda _: Came(changed=False))
    assert told.titles() == ["shop: nothing had to move"]


@pytest.mark.parametrize(
    ("error", "title"),
    [
        (TrafficReturned("1 test failed"), "shop: rollback failed on live, and traffic is back"),
        (
            ReturnFailed("live could not be put back"),
            "shop: rollback failed, and could not be undone: look now",
        ),
        (Interrupted("interrupted"), "shop: rollback was interrupted"),
        (ValueError("a defect"), "shop: rollback failed"),
    ],
)
def test_every_bad_end_is_told(tmp_path: Path, told: Hook, error: Exception, title: str) -> None:
    with pytest.raises(type(error)):
        runs.recorded(of(tmp_path, told).session, "rollback", one_step(error))
    assert told.titles() == ["shop: rollback has started", title]


@pytest.mark.parametrize("listened", ["failed", "returned"])
def test_what_could_not_be_undone_is_told_all_who_listen_to_failures(
    tmp_path: Path, told: Hook, listened: str
) -> None:
    text = f"notify: [{{url_env: HOOK_URL, events: [{listened}]}}]"
    with pytest.raises(ReturnFailed):
        runs.recorded(of(tmp_path, told, text).session, "deploy", one_step(ReturnFailed("half-way")))
    assert told.titles() == ["shop: deploy failed, and could not be undone: look now"]


def test_a_failure_before_the_first_step_is_told_without_a_start(tmp_path: Path, told: Hook) -> None:
    def work(_: Recorder) -> None:
        raise SourceError("the tree is dirty")

    with pytest.raises(SourceError):
        runs.recorded(of(tmp_path, told).session, "deploy", work)
    assert told.titles() == ["shop: deploy failed"]


def test_no_secret_is_told(tmp_path: Path, told: Hook) -> None:
    with pytest.raises(TrafficReturned):
        runs.recorded(
            of(tmp_path, told).session, "deploy", one_step(TrafficReturned(f"it says {SECRET}", fix=SECRET))
        )
    assert "- why: it says \\*\\*\\*" in told.received[1]["message"]
    assert SECRET not in str(told.received)


@pytest.mark.parametrize("command", ["test", "preview"])
def test_of_other_commands_nobody_is_told(tmp_path: Path, told: Hook, command: str) -> None:
    runs.recorded(of(tmp_path, told).session, command, one_step(None))
    assert told.titles() == []


@pytest.mark.parametrize(
    ("also", "command", "environment", "count"),
    [
        ("[]", "destroy", "live", 0),
        ("[destroy]", "destroy", "live", 2),
        ("[destroy]", "destroy", "review-x", 0),
        ("[destroy, review]", "destroy", "review-x", 2),
        ("[review]", "sweep", "review-x", 0),
        ("[destroy, review]", "sweep", "review-x", 2),
        ("[]", "discard", "live", 2),
        ("[]", "deploy", "review-x", 0),
        ("[review]", "deploy", "review-x", 2),
        ("[review]", "deploy", "live", 2),
    ],
)
def test_of_what_does_not_lead_to_live_one_is_told_who_asks(
    tmp_path: Path, told: Hook, also: str, command: str, environment: str, count: int
) -> None:
    text = f"notify: [{{url_env: HOOK_URL, also: {also}}}]"
    runs.recorded(of(tmp_path, told, text).session, command, one_step(None), environment)
    assert len(told.titles()) == count


def test_a_variable_that_is_not_set_is_a_warning(tmp_path: Path, told: Hook) -> None:
    made = of(tmp_path, told, "notify: [CHAT_URL, HOOK_URL, MAIL_URL]")

    runs.recorded(made.session, "deploy", one_step(Came(changed=True)))

    assert made.report.warnings == [
        "variables in `notify` are not set, so curtainup skips them: CHAT_URL, MAIL_URL"
    ]
    assert len(told.titles()) == 2


def test_what_is_not_taken_is_a_warning_without_the_address(tmp_path: Path, told: Hook) -> None:
    made = of(tmp_path, told)
    told.status = 404

    runs.recorded(made.session, "deploy", one_step(Came(changed=True)))

    assert [one.partition(":")[0] for one in made.report.warnings] == [
        'HOOK_URL did not get "shop',
        'HOOK_URL did not get "shop',
    ]
    assert all("404" in one for one in made.report.warnings)
    assert TOKEN not in str(made.report.warnings)
    assert TOKEN not in made.session.service.redact(f"a test that shows {told.url}")


def test_a_defect_in_telling_is_a_warning(
    tmp_path: Path, told: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = of(tmp_path, told)
    monkeypatch.setattr("curtainup.reporting.notify.messages.TITLES", {})

    runs.recorded(made.session, "deploy", one_step(Came(changed=True)))

    failed = "the notification was not sent: KeyError"
    assert made.report.warnings == [f"{failed}: 'start'", f"{failed}: 'live'"]
