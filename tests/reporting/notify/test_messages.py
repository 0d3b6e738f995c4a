from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from curtainup.config.notify import EVENTS
from curtainup.errors import CurtainupError, Interrupted, StagingGateFailed, TrafficReturned
from curtainup.images.source import Source
from curtainup.pipeline.run.record import Recorder
from curtainup.reporting.notify import messages
from curtainup.reporting.notify.messages import Message, Run, Writer
from curtainup.util.redaction import redactor
from curtainup.util.secrets import Secret

WRITER = Writer(Run("hello", "deploy"))
VERSION = "260612-1015-3-c0ffee"


@dataclass(frozen=True)
class Came:
    url: str = "http://127.0.0.1:8080"
    version: str = VERSION
    release: str = "r1"
    changed: bool = True
    held: bool = False


def begun(folder: Path, **ci: str) -> Recorder:
    recorder = Recorder(folder, "hello", "deploy", environ=ci)
    recorder.source(Source(folder, "c0ffee" * 6, VERSION, "7ree", (), True, "https://example/r"))
    return recorder


def ended(recorder: Recorder, result: object = None, error: CurtainupError | None = None) -> Message:
    if error is None:
        recorder.succeeded(result)
    else:
        recorder.failed(error)
    return WRITER.ended(recorder.record, recorder.folder, result, error)


def test_a_start_tells_what_by_whom_and_from_which_commit(tmp_path: Path) -> None:
    recorder = begun(tmp_path, GITHUB_ACTOR="ann", BUILD_URL="https://ci.example/7")

    told = WRITER.started(recorder.record, recorder.folder)

    assert (told.event, told.kind) == ("start", "info")
    assert told.title == f"hello: deploy of {VERSION} has started"
    assert told.body.splitlines() == [
        "- environment: live",
        f"- version: {VERSION}",
        "- commit: c0ffeec0ffee and uncommitted changes",
        "- by: ann on <https://ci.example/7>",
        f"- record: {recorder.folder}",
    ]


@pytest.mark.parametrize(
    ("ci", "page"),
    [
        (
            {"GITHUB_SERVER_URL": "https://g.example", "GITHUB_REPOSITORY": "o/r", "GITHUB_RUN_ID": "7"},
            "https://g.example/o/r/actions/runs/7",
        ),
        (
            {"BITBUCKET_REPO_FULL_NAME": "o/r", "BITBUCKET_BUILD_NUMBER": "7"},
            "https://bitbucket.org/o/r/pipelines/results/7",
        ),
        ({"CI_JOB_URL": "https://lab.example/o/r/-/jobs/7"}, "https://lab.example/o/r/-/jobs/7"),
    ],
)
def test_a_ci_job_is_linked(tmp_path: Path, ci: dict[str, str], page: str) -> None:
    recorder = begun(tmp_path, **ci)
    assert f" on <{page}>" in WRITER.started(recorder.record, recorder.folder).body


def test_runs_of_schedules_are_told_a_line_each() -> None:
    told = Writer(Run("hello", "schedule", "staging"), redactor([Secret("s3cret")])).schedules(
        ["cleanup  2026-11-29 03:00 CET failed after 2s: exit code 3", "a *run* with s3cret"]
    )
    assert (told.event, told.kind) == ("schedule", "failure")
    assert told.title == "hello: schedules of staging failed or were missed"
    assert told.body.splitlines() == [
        "- cleanup 2026-11-29 03:00 CET failed after 2s: exit code 3",
        r"- a \*run\* with \*\*\*",
    ]


def test_live_tells_the_url(tmp_path: Path) -> None:
    told = ended(begun(tmp_path), Came())

    assert (told.event, told.kind) == ("live", "success")
    assert told.title == f"hello: {VERSION} serves in live"
    assert "- url: <http://127.0.0.1:8080>" in told.body.splitlines()


@pytest.mark.parametrize(
    ("result", "event", "title"),
    [
        (Came(held=True), "held", f"hello: {VERSION} is proven, and held without traffic"),
        (Came(changed=False), "unchanged", "hello: nothing had to move"),
        (None, "done", f"hello: deploy of {VERSION} is done"),
    ],
)
def test_a_run_that_ends_well_is_told_by_what_it_came_to(
    tmp_path: Path, result: object, event: str, title: str
) -> None:
    told = ended(begun(tmp_path), result)
    assert (told.event, told.title) == (event, title)


@pytest.mark.parametrize(
    ("kind", "event"),
    [(StagingGateFailed, "failed"), (TrafficReturned, "returned"), (Interrupted, "interrupted")],
)
def test_a_failure_tells_why_what_follows_and_the_fix(
    tmp_path: Path, kind: type[CurtainupError], event: str
) -> None:
    error = kind(
        "1 of 11 tests failed", where="http://127.0.0.1:1", consequence="live is as it was", fix="mend it"
    )

    told = ended(begun(tmp_path), error=error)

    assert told.event == event
    assert {"- why: 1 of 11 tests failed", "- so: live is as it was", "- fix: mend it"} <= set(
        told.body.splitlines()
    )


def test_a_defect_of_ours_is_told_as_a_failure(tmp_path: Path) -> None:
    recorder = begun(tmp_path)
    recorder.crashed(KeyError("x"))

    told = WRITER.ended(recorder.record, recorder.folder)

    assert told.event == "failed"
    assert "- why: KeyError: 'x'" in told.body.splitlines()


def test_no_mark_or_tag_is_read_in_what_others_have_written(tmp_path: Path) -> None:
    error = StagingGateFailed("*a* `b` [c](d)\n<script>")
    assert (
        "- why: \\*a\\* \\`b\\` \\[c\\](d) &lt;script>"
        in ended(begun(tmp_path), error=error).body.splitlines()
    )


def test_a_secret_with_marks_is_taken_out(tmp_path: Path) -> None:
    recorder = begun(tmp_path)
    error = StagingGateFailed("it says p*ss[w]ord<")
    recorder.failed(error)
    writer = Writer(Run("hello", "deploy"), redactor([Secret("p*ss[w]ord<")]))

    told = writer.ended(recorder.record, recorder.folder, error=error)

    assert "- why: it says \\*\\*\\*" in told.body.splitlines()


def test_a_long_reason_is_cut(tmp_path: Path) -> None:
    body = ended(begun(tmp_path), error=StagingGateFailed("x" * 5000)).body
    assert max(len(line) for line in body.splitlines()) < messages.LONGEST + 50


def test_a_rehearsal_says_so(tmp_path: Path) -> None:
    recorder = begun(tmp_path)
    told = Writer(Run("hello", "rehearse", rehearsal=True)).started(recorder.record, recorder.folder)
    assert told.body.startswith("- environment: live of the rehearsal\n")


def test_every_event_has_its_words() -> None:
    assert set(messages.KINDS) == set(messages.TITLES) == set(EVENTS)
    assert set(messages.OF_OUTCOMES.values()) == set(EVENTS) - {"start", "schedule"}
