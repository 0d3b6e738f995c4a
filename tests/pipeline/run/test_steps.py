from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from curtainup.errors import BuildFailed, CurtainupError, Interrupted
from curtainup.pipeline.run.record import Recorder
from curtainup.pipeline.run.steps import Progress, Steps
from tests.sessions import Notes


class Run:
    """The steps of a run, and what was reported and recorded of them."""

    def __init__(self, folder: Path) -> None:
        self.report = Notes()
        self.recorder = Recorder(folder, "shop", "deploy", environ={})
        self.cancelled = threading.Event()
        self.steps = Steps(self.report, self.recorder, self.cancelled)

    def recorded(self) -> list[tuple[str, str | None]]:
        return [(step.name, step.outcome) for step in self.recorder.record.steps]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(tmp_path)


def _fail(_: Progress) -> None:
    raise BuildFailed("the image could not be built")


def test_a_step_gives_its_result_and_says_what_it_does(run: Run) -> None:
    def work(progress: Progress) -> int:
        progress.say("half way")
        progress.note = "3 layers"
        return 7

    assert run.steps.run("build", "build the image", work) == 7
    assert run.report.started == ["build"]
    assert run.report.progress == [("build", "half way")]
    assert run.report.finished == [("build", "passed", "3 layers")]
    assert run.recorded() == [("build", "passed")]


def test_a_failure_is_recorded_and_goes_on(run: Run) -> None:
    with pytest.raises(BuildFailed):
        run.steps.run("build", "build the image", _fail)
    assert run.report.finished == [("build", "failed", "the image could not be built")]
    assert run.recorded() == [("build", "failed")]


def test_an_unforeseen_error_is_recorded_by_its_kind_alone(run: Run) -> None:
    """Its text might hold anything."""
    with pytest.raises(ZeroDivisionError):
        run.steps.run("build", "build the image", lambda _: 1 // 0)
    assert run.report.finished == [("build", "failed", "ZeroDivisionError")]


def test_no_step_begins_after_an_interrupt_but_those_that_undo(run: Run) -> None:
    run.cancelled.set()
    with pytest.raises(Interrupted) as caught:
        run.steps.run("push", "push the image", lambda _: pytest.fail("it began"))
    assert caught.value.where == "before: push the image"
    assert run.report.started == []
    run.steps.run("return", "put traffic back", lambda _: None, undoing=True)
    assert run.recorded() == [("return", "passed")]


def test_a_step_that_fails_because_it_was_interrupted_is_no_failure(run: Run) -> None:
    def work(_: Progress) -> None:
        run.cancelled.set()
        raise BuildFailed("signal: interrupt")

    with pytest.raises(Interrupted) as caught:
        run.steps.run("build", "build the image", work)
    assert caught.value.where == "build the image"
    assert isinstance(caught.value.__cause__, BuildFailed)
    assert run.recorded() == [("build", "cancelled")]


def test_an_undoing_step_that_fails_is_a_failure_after_an_interrupt_too(run: Run) -> None:
    run.cancelled.set()
    with pytest.raises(BuildFailed):
        run.steps.run("return", "put traffic back", _fail, undoing=True)
    assert run.recorded() == [("return", "failed")]


def test_an_interrupt_that_is_told_to_the_step_stays_what_it_is(run: Run) -> None:
    error = Interrupted("interrupted", where="the gate")

    def work(_: Progress) -> None:
        raise error

    with pytest.raises(CurtainupError) as caught:
        run.steps.run("gate", "tests", work)
    assert caught.value is error
    assert run.recorded() == [("gate", "cancelled")]


def test_a_skipped_step_says_why(run: Run) -> None:
    run.steps.skip("build", "build the image", "unchanged")
    assert run.report.finished == [("build", "skipped", "unchanged")]
    assert run.recorded() == [("build", "skipped")]


def test_a_step_that_says_nothing_tells_where_it_is(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("curtainup.pipeline.run.steps.SILENCE", 0.01)

    def work(progress: Progress) -> None:
        progress.where = lambda: "Step 3/7"
        while not run.report.progress:
            time.sleep(0.01)

    run.steps.run("build", "build the image", work)

    assert run.report.progress[0] in {("build", "0 s so far: Step 3/7"), ("build", "0 s so far")}
    said = len(run.report.progress)
    time.sleep(0.05)
    assert len(run.report.progress) == said, "the step has ended"
