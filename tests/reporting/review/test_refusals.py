"""What a host refuses, and where the text goes then."""

from __future__ import annotations

from pathlib import Path

import pytest

from curtainup.errors import ReviewFailed
from curtainup.reporting.review import Style
from curtainup.reporting.review.post import SUMMARY_ROOM
from tests.reporting.review.conftest import Job
from tests.reporting.review.servers import SECRET, Answer, Fault

on_github = pytest.mark.parametrize("job", ["github"], indirect=True)


def test_a_token_that_is_not_known(job: Job) -> None:
    name = next(name for name, value in job.environ.items() if value == SECRET)

    error = job.refused(**{name: "another"})

    assert "does not accept the token" in error.what
    assert job.server.methods() == ["GET"]


def test_a_token_that_may_only_read_leaves_everything_as_it_is(job: Job) -> None:
    job.server.may_write = False

    error = job.refused()

    assert "may not comment" in error.what
    assert job.host.rights == error.fix
    assert error.consequence == "no comment was written; the preview is in this job's output"
    assert job.server.notes == []


def test_a_token_that_may_only_read_does_not_edit_either(job: Job) -> None:
    job.post("first")
    job.server.may_write = False

    assert "may not comment" in job.refused().what
    assert job.server.texts() == [job.marked("first")]


@on_github
def test_a_fork_without_rights_gets_the_text_in_the_jobs_summary(job: Job, tmp_path: Path) -> None:
    job.server.may_write = False
    summary = tmp_path / "summary.md"
    summary.write_text("what others wrote\n")
    styles: list[Style] = []

    def write(style: Style) -> str:
        styles.append(style)
        return "the preview"

    with pytest.raises(ReviewFailed) as raised:
        job.post(write, GITHUB_STEP_SUMMARY=str(summary))

    assert summary.read_text() == "what others wrote\nthe preview\n"
    assert styles[-1] == Style(folds=True, room=SUMMARY_ROOM)
    assert raised.value.consequence == "no comment was written; the preview is in this job's summary"
    assert "fork" in (raised.value.fix or "")
    assert raised.value.exit_code == 24


@on_github
def test_a_summary_that_cannot_be_written_is_not_named(job: Job, tmp_path: Path) -> None:
    job.server.may_write = False

    assert "output" in (job.refused(GITHUB_STEP_SUMMARY=str(tmp_path)).consequence or "")


def test_a_request_that_the_token_does_not_see(job: Job) -> None:
    other = {"GITHUB_REF": "refs/pull/8/merge", "CI_MERGE_REQUEST_IID": "8", "BITBUCKET_PR_ID": "8"}

    error = job.refused(**other)

    assert "shows this token no" in error.what
    assert "8" in error.what


def test_a_redirect_is_not_followed_with_the_token(job: Job) -> None:
    job.server.faults.append(Fault("GET", Answer(301, {}, {"Location": f"{job.server.url}/elsewhere"})))

    error = job.refused()

    assert "301" in error.what
    assert "/elsewhere" in (error.detail or "")
    assert len(job.server.calls) == 1


def test_something_else_that_answers_is_told_from_the_api(job: Job) -> None:
    job.server.faults.append(Fault("GET", Answer(200, "<html>Please sign in</html>")))

    error = job.refused()

    assert "does not come from the API" in error.what
    assert "Please sign in" in (error.detail or "")
