"""The review environment and the preview in one comment: each is written without the other's doing."""

from __future__ import annotations

import pytest

from curtainup.errors import ReviewFailed
from curtainup.reporting.review import Part, Style
from curtainup.reporting.review.parts import LEFT_OUT, Layout, Parts
from tests.reporting.review.conftest import Job

ENVIRONMENT = "### Review environment of `shop`\n\nhttps://review-7.example"


def parts(job: Job) -> Parts:
    """Read the only comment of ours."""
    (text,) = job.server.texts()
    return Layout(job.host, "shop").read(text)


@pytest.mark.parametrize("first", Part)
def test_both_stand_in_one_comment_whichever_came_first(job: Job, first: Part) -> None:
    texts = {Part.PREVIEW: "what would change", Part.ENVIRONMENT: ENVIRONMENT}
    second = next(part for part in Part if part is not first)

    assert job.post(texts[first], "shop", first).action == "created"
    assert job.post(texts[second], "shop", second).action == "updated"

    assert parts(job) == Parts(ENVIRONMENT, "what would change")
    (text,) = job.server.texts()
    assert text.index(ENVIRONMENT) < text.index("what would change")


def test_each_is_edited_without_the_other(job: Job) -> None:
    job.post("what would change")
    job.post(ENVIRONMENT, "shop", Part.ENVIRONMENT)

    job.post("what would change now")
    assert parts(job) == Parts(ENVIRONMENT, "what would change now")
    job.post("removed", "shop", Part.ENVIRONMENT)
    assert parts(job) == Parts("removed", "what would change now")


def test_a_comment_without_an_environment_is_as_it_ever_was(job: Job) -> None:
    job.post("what would change")

    assert job.server.texts() == [job.marked("what would change")]


def test_lines_that_the_host_ends_otherwise_are_read_all_the_same(job: Job) -> None:
    job.post(ENVIRONMENT, "shop", Part.ENVIRONMENT)
    job.post("what would change")
    note = job.server.notes[0]
    note.text = note.text.replace("\n", "\r\n")

    job.post("what would change now")

    assert parts(job) == Parts(ENVIRONMENT, "what would change now")


def test_a_preview_has_the_room_that_the_environment_leaves(job: Job) -> None:
    job.post(ENVIRONMENT, "shop", Part.ENVIRONMENT)

    job.post(lambda style: "x" * style.room)

    assert len(job.server.texts()[0]) == job.host.room
    assert parts(job).environment == ENVIRONMENT


def test_a_preview_that_fills_the_comment_gives_way_to_the_environment(job: Job) -> None:
    def fill(style: Style) -> str:
        return ("line\n" * (style.room // 5)).strip()

    job.post(fill)
    job.post(ENVIRONMENT, "shop", Part.ENVIRONMENT)

    (text,) = job.server.texts()
    assert len(text) <= job.host.room
    assert text.endswith(f"line\n\n{LEFT_OUT}")
    assert parts(job).environment == ENVIRONMENT


@pytest.mark.parametrize("job", ["github"], indirect=True)
def test_what_could_not_be_written_is_named(job: Job) -> None:
    job.server.may_write = False

    with pytest.raises(ReviewFailed) as raised:
        job.post(ENVIRONMENT, "shop", Part.ENVIRONMENT)

    assert "the review environment's address is in this job's output" in (raised.value.consequence or "")
