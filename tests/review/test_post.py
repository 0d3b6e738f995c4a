from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from curtainup.errors import ReviewFailed
from curtainup.review import Style, api
from curtainup.review.post import PATIENCE, SUMMARY_ROOM, TRIES
from tests.review.conftest import Job
from tests.review.servers import EMAIL, SECRET, Answer, Fault, GitLabServer

on_github = pytest.mark.parametrize("job", ["github"], indirect=True)
on_gitlab = pytest.mark.parametrize("job", ["gitlab"], indirect=True)
on_bitbucket = pytest.mark.parametrize("job", ["bitbucket"], indirect=True)


@pytest.fixture(autouse=True)
def token_is_never_shown(request: pytest.FixtureRequest, job: Job) -> Iterator[None]:
    yield
    assert all(SECRET not in text for text in job.server.texts())


def refused(job: Job, **environ: str) -> ReviewFailed:
    with pytest.raises(ReviewFailed) as raised:
        job.post(**environ)
    error = raised.value
    said = " ".join(filter(None, (error.what, error.where, error.consequence, error.fix, error.detail)))
    assert SECRET not in said
    assert "no comment was written" in (error.consequence or "")
    assert error.fix
    return error


# One comment


def test_the_first_post_creates_a_comment_with_the_hidden_marker_in_front(job: Job) -> None:
    written = job.post("hello")

    assert written.action == "created"
    assert written.url
    assert str(job.server.notes[0].id) in written.url
    assert job.server.texts() == [job.marked("hello")]


def test_the_second_post_edits_it(job: Job) -> None:
    job.post("first")

    written = job.post("second")

    assert written.action == "updated"
    assert job.server.texts() == [job.marked("second")]


def test_the_comment_is_found_on_the_last_of_many_pages(job: Job) -> None:
    for number in range(250):
        job.server.seed(f"remark {number}")
    job.post("first")

    assert job.post("second").action == "updated"
    assert job.server.texts()[250:] == [job.marked("second")]
    assert job.server.methods().count("GET") == 6


@on_gitlab
def test_pages_by_key_are_followed_too(job: Job) -> None:
    assert isinstance(job.server, GitLabServer)
    job.server.by_key = True
    for number in range(150):
        job.server.seed(f"remark {number}")
    job.post("first")

    assert job.post("second").action == "updated"


def test_services_and_configurations_have_comments_of_their_own(job: Job) -> None:
    subjects = ["shop", "shop-2", "shop, cloud-run"]
    for subject in subjects:
        assert job.post("first", subject).action == "created"
    for subject in subjects:
        assert job.post(f"second of {subject}", subject).action == "updated"

    assert job.server.texts() == [job.marked(f"second of {one}", one) for one in subjects]


def test_comments_that_quote_ours_are_not_touched(job: Job) -> None:
    quoting = job.server.seed(f"> {job.marked('hello')}", foreign=False)

    assert job.post("hello").action == "created"
    assert quoting.text.startswith("> ")


def test_a_copy_of_the_marker_by_somebody_else_does_not_keep_the_comment_out(job: Job) -> None:
    copied = job.server.seed(job.marked("not yours"))

    assert job.post("hello").action == "created"
    assert job.post("again").action == "updated"
    assert job.server.texts() == [copied.text, job.marked("again")]


@on_bitbucket
def test_a_deleted_comment_is_not_edited_but_written_anew(job: Job) -> None:
    job.post("first")
    job.server.notes[0].deleted = True

    assert job.post("second").action == "created"


@on_bitbucket
def test_an_account_signs_with_its_address_and_token(job: Job) -> None:
    job = job.without("BITBUCKET_ACCESS_TOKEN")

    assert job.post(BITBUCKET_EMAIL=EMAIL, BITBUCKET_API_TOKEN=SECRET).action == "created"
    assert job.server.calls[0].headers["authorization"].startswith("Basic ")


def test_letters_beyond_ascii_arrive(job: Job) -> None:
    job.post("v41 → 100 % 🎭")

    assert job.server.texts() == [job.marked("v41 → 100 % 🎭")]


def test_a_text_that_fills_its_room_is_taken_and_a_longer_one_refused_by_the_host(job: Job) -> None:
    rooms: list[Style] = []

    def fill(style: Style) -> str:
        rooms.append(style)
        return "x" * style.room

    job.post(fill)

    assert len(job.server.texts()[0]) == job.host.room
    assert rooms[0].log
    with pytest.raises(ReviewFailed) as raised:
        job.post("x" * (job.host.room + 1))
    assert "did not take the comment" in raised.value.what
    assert raised.value.detail


def test_no_netrc_takes_the_tokens_place(job: Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    job.http.trust_env = True

    assert job.post("hello").action == "created"


# Refusals


def test_a_token_that_is_not_known(job: Job) -> None:
    name = next(name for name, value in job.environ.items() if value == SECRET)

    error = refused(job, **{name: "another"})

    assert "does not accept the token" in error.what
    assert job.server.methods() == ["GET"]


def test_a_token_that_may_only_read_leaves_everything_as_it_is(job: Job) -> None:
    job.server.may_write = False

    error = refused(job)

    assert "may not comment" in error.what
    assert job.host.rights == error.fix
    assert error.consequence == "no comment was written; the preview is in this job's output"
    assert job.server.notes == []


def test_a_token_that_may_only_read_does_not_edit_either(job: Job) -> None:
    job.post("first")
    job.server.may_write = False

    assert "may not comment" in refused(job).what
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

    assert "output" in (refused(job, GITHUB_STEP_SUMMARY=str(tmp_path)).consequence or "")


def test_a_request_that_the_token_does_not_see(job: Job) -> None:
    other = {"GITHUB_REF": "refs/pull/8/merge", "CI_MERGE_REQUEST_IID": "8", "BITBUCKET_PR_ID": "8"}

    error = refused(job, **other)

    assert "shows this token no" in error.what
    assert "8" in error.what


def test_a_redirect_is_not_followed_with_the_token(job: Job) -> None:
    job.server.faults.append(Fault("GET", Answer(301, {}, {"Location": f"{job.server.url}/elsewhere"})))

    error = refused(job)

    assert "301" in error.what
    assert "/elsewhere" in (error.detail or "")
    assert len(job.server.calls) == 1


def test_something_else_that_answers_is_told_from_the_api(job: Job) -> None:
    job.server.faults.append(Fault("GET", Answer(200, "<html>Please sign in</html>")))

    error = refused(job)

    assert "not the API" in error.what
    assert "Please sign in" in (error.detail or "")


# Patience


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_host_in_trouble_is_asked_again(job: Job, status: int) -> None:
    job.server.faults += [Fault("GET", Answer(status, "<html>oops</html>"))] * 2

    assert job.post("hello").action == "created"
    assert job.pauses == [1.0, 2.0]


def test_a_host_that_stays_in_trouble_is_given_up(job: Job) -> None:
    job.server.faults += [Fault("GET", Answer(502, "Bad Gateway"))] * 99

    error = refused(job)

    assert f"tried {TRIES} times" in error.what
    assert "502: Bad Gateway" in (error.detail or "")
    assert len(job.server.calls) == TRIES


def test_a_comment_that_was_created_although_the_answer_was_lost_is_not_repeated(job: Job) -> None:
    job.server.faults.append(Fault("POST", Answer(502, "Bad Gateway"), done=True))

    assert job.post("hello").action == "updated"
    assert job.server.texts() == [job.marked("hello")]


def test_a_rate_limit_is_waited_for_as_long_as_it_says(job: Job) -> None:
    job.server.faults.append(Fault("POST", Answer(429, {"message": "slow"}, {"Retry-After": "7"})))

    assert job.post("hello").action == "created"
    assert job.pauses == [7.0]


def test_a_rate_limit_that_is_over_is_not_waited_for(job: Job) -> None:
    job.server.faults.append(Fault("GET", Answer(429, {"message": "slow"}, {"Retry-After": "0"})))

    job.post("hello")

    assert job.pauses == [0.0]


def test_a_rate_limit_that_does_not_say_how_long_is_waited_for_a_minute(job: Job) -> None:
    job.server.faults.append(Fault("GET", Answer(429, {"message": "slow"})))

    job.post("hello")

    assert job.pauses == [60.0]


def test_a_rate_limit_beyond_patience_is_an_error_at_once(job: Job) -> None:
    job.server.faults.append(Fault("GET", Answer(429, {"message": "slow"}, {"Retry-After": "3000"})))

    error = refused(job)

    assert "it asks to wait 3000 s" in error.what
    assert job.pauses == []


def test_patience_is_for_all_waits_together(job: Job) -> None:
    job.server.faults += [Fault("GET", Answer(429, {"message": "slow"}, {"Retry-After": "60"}))] * 9

    refused(job)

    assert sum(job.pauses) <= PATIENCE
    assert job.pauses == [60.0, 60.0]


@on_github
@pytest.mark.parametrize(
    ("answer", "pauses"),
    [
        (Answer(403, {"message": "You have exceeded a secondary rate limit."}), [60.0]),
        (Answer(403, {"message": "abuse"}, {"Retry-After": "5"}), [5.0]),
    ],
)
def test_githubs_rate_limits_come_as_forbidden(job: Job, answer: Answer, pauses: list[float]) -> None:
    job.server.faults.append(Fault("POST", answer))

    assert job.post("hello").action == "created"
    assert job.pauses == pauses


@on_github
def test_githubs_spent_limit_says_when_it_is_renewed(job: Job) -> None:
    headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "4102444800"}
    job.server.faults.append(Fault("GET", Answer(403, {"message": "API rate limit exceeded"}, headers)))

    assert "it asks to wait" in refused(job).what


@pytest.mark.parametrize("job", ["github", "gitlab"], indirect=True)
def test_nobody_listens(job: Job) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        nowhere = f"http://127.0.0.1:{taken.getsockname()[1]}"

    error = refused(job, GITHUB_API_URL=nowhere, CI_API_V4_URL=nowhere)

    assert "is not reached" in (error.detail or "")
    assert job.pauses == [1.0, 2.0, 4.0]


@on_github
def test_nobody_answers(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "TIMEOUT", (5.0, 0.1))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        error = refused(job, GITHUB_API_URL=f"http://127.0.0.1:{silent.getsockname()[1]}")

    assert "timed out" in (error.detail or "")
    assert job.pauses == [1.0, 2.0, 4.0]


@on_github
def test_an_address_that_is_none(job: Job) -> None:
    assert "cannot be asked" in refused(job, GITHUB_API_URL="api.example").what
