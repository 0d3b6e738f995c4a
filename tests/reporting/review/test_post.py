"""One comment: created, found again, edited."""

from __future__ import annotations

from pathlib import Path

import pytest

from curtainup.errors import ReviewFailed
from curtainup.reporting.review import Style
from tests.reporting.review.conftest import Job
from tests.reporting.review.gitlab_server import GitLabServer
from tests.reporting.review.servers import EMAIL, SECRET

on_gitlab = pytest.mark.parametrize("job", ["gitlab"], indirect=True)
on_bitbucket = pytest.mark.parametrize("job", ["bitbucket"], indirect=True)


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
    assert "did not accept the comment" in raised.value.what
    assert raised.value.detail


def test_no_netrc_takes_the_tokens_place(job: Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    job.http.trust_env = True

    assert job.post("hello").action == "created"
