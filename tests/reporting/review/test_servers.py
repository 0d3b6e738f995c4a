"""The hosts on loopback are as strict as the real ones: what passes here is no accident."""

from __future__ import annotations

import pytest

from tests.reporting.review.conftest import Job

PATHS = {
    "GitHub": "/repos/octo/web/issues/7/comments",
    "GitLab": "/api/v4/projects/12/merge_requests/3/notes",
    "Bitbucket": "/2.0/repositories/octo/web/pullrequests/5/comments",
}


def ask(job: Job, method: str, body: object = None, *, signed: bool = True, path: str = "") -> int:
    url = job.server.url + PATHS[job.host.name] + path
    auth = job.host.sign(job.host.request(job.environ)) if signed else None
    return job.http.request(method, url, json=body, auth=auth).status_code


def test_who_does_not_sign_is_not_known(job: Job) -> None:
    assert ask(job, "GET") == 200
    assert ask(job, "GET", signed=False) == 401
    assert ask(job, "POST", job.host.body("hello"), signed=False) == 401
    assert job.server.notes == []


def test_other_methods_are_not_there(job: Job) -> None:
    note = job.server.seed("mine", foreign=False)
    status = 404 if job.host.name == "GitHub" else 405
    assert ask(job, "PUT", job.host.body("hello")) == status
    assert ask(job, "POST", job.host.body("hello"), path=f"/{note.id}") == status
    assert note.text == "mine"


@pytest.mark.parametrize("body", [{}, {"text": "hello"}, {"content": "hello"}, {"body": 5}])
def test_other_fields_are_refused(job: Job, body: object) -> None:
    assert ask(job, "POST", body) == (422 if job.host.name == "GitHub" else 400)
    assert job.server.notes == []


def test_a_text_that_is_too_long_is_refused(job: Job) -> None:
    whole = "x" * job.server.longest
    assert ask(job, "POST", job.host.body(whole)) == 201
    assert ask(job, "POST", job.host.body(whole + "x")) == (422 if job.host.name == "GitHub" else 400)
