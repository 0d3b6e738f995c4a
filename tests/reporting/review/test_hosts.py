"""Which request a job is for, from its variables alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from curtainup.errors import ReviewFailed
from curtainup.reporting.review.bitbucket import Bitbucket
from curtainup.reporting.review.github import GitHub
from curtainup.reporting.review.gitlab import GitLab
from curtainup.reporting.review.models import Host, Request
from curtainup.reporting.review.post import HOSTS
from curtainup.util.secrets import Secret

GITHUB = {
    "GITHUB_ACTIONS": "true",
    "GITHUB_API_URL": "https://api.github.example",
    "GITHUB_SERVER_URL": "https://github.example",
    "GITHUB_REPOSITORY": "octo/web",
    "GITHUB_REF": "refs/pull/7/merge",
    "GITHUB_RUN_ID": "99",
    "GITHUB_TOKEN": "abc",
}
GITLAB = {
    "GITLAB_CI": "true",
    "CI_API_V4_URL": "https://gitlab.example/api/v4",
    "CI_PROJECT_ID": "12",
    "CI_MERGE_REQUEST_IID": "3",
    "GITLAB_TOKEN": "abc",
}
BITBUCKET = {
    "BITBUCKET_BUILD_NUMBER": "17",
    "BITBUCKET_REPO_FULL_NAME": "octo/web",
    "BITBUCKET_PR_ID": "5",
    "BITBUCKET_ACCESS_TOKEN": "abc",
}
JOBS: list[tuple[Host, dict[str, str]]] = [(GitHub(), GITHUB), (GitLab(), GITLAB), (Bitbucket(), BITBUCKET)]


def without(variables: dict[str, str], name: str) -> dict[str, str]:
    return {key: value for key, value in variables.items() if key != name}


def test_a_pull_request_on_github() -> None:
    assert GitHub().request(GITHUB) == Request(
        "pull request 7 of octo/web",
        "https://api.github.example/repos/octo/web/issues/7/comments",
        "https://api.github.example/repos/octo/web/issues/comments",
        Secret("abc"),
        page="https://github.example/octo/web/pull/7",
        log="https://github.example/octo/web/actions/runs/99",
    )


def test_a_merge_request_on_gitlab() -> None:
    notes = "https://gitlab.example/api/v4/projects/12/merge_requests/3/notes"
    assert GitLab().request(GITLAB) == Request("merge request 3 of project 12", notes, notes, Secret("abc"))


def test_a_pull_request_on_bitbucket() -> None:
    comments = "https://api.bitbucket.org/2.0/repositories/octo/web/pullrequests/5/comments"
    found = Bitbucket().request(BITBUCKET)
    assert found == Request("pull request 5 of octo/web", comments, comments, Secret("abc"))


@pytest.mark.parametrize(("host", "variables"), JOBS)
def test_each_variable_that_is_missing_is_named(host: Host, variables: dict[str, str]) -> None:
    optional = {"GITHUB_ACTIONS", "GITLAB_CI", "GITHUB_SERVER_URL", "GITHUB_RUN_ID", "BITBUCKET_BUILD_NUMBER"}
    for name in variables.keys() - optional:
        for broken in (without(variables, name), {**variables, name: " "}):
            with pytest.raises(ReviewFailed) as raised:
                host.request(broken)
            assert raised.value.what.startswith(f"{name} is not set")
            assert host.name in (raised.value.where or "")
            assert raised.value.fix


@pytest.mark.parametrize(("host", "variables"), JOBS)
def test_a_job_is_known_as_its_hosts_and_no_other(host: Host, variables: dict[str, str]) -> None:
    assert [one.name for one in HOSTS.values() if one.runs(variables)] == [host.name]
    assert not host.runs({"CI": "true"})


@pytest.mark.parametrize(("host", "variables"), JOBS)
@pytest.mark.parametrize("value", ["two words", "tëken", "a\nHost: other"])
def test_what_cannot_be_a_token_is_refused_without_showing_it(
    host: Host, variables: dict[str, str], value: str
) -> None:
    name = next(name for name, one in variables.items() if one == "abc")
    with pytest.raises(ReviewFailed) as raised:
        host.request({**variables, name: value})
    assert name in raised.value.what
    assert value not in repr(vars(raised.value))


@pytest.mark.parametrize(("host", "variables"), JOBS)
def test_a_token_with_a_newline_behind_it_is_taken(host: Host, variables: dict[str, str]) -> None:
    padded = {name: f"{value}\n" if value == "abc" else value for name, value in variables.items()}
    assert host.request(padded).token == Secret("abc")


@pytest.mark.parametrize("ref", ["refs/heads/main", "refs/tags/v1", "refs/pull/x/merge"])
def test_a_job_on_github_that_is_for_no_pull_request(ref: str) -> None:
    with pytest.raises(ReviewFailed, match="does not run for a pull request"):
        GitHub().request({**GITHUB, "GITHUB_REF": ref})


def test_the_event_tells_the_pull_request_where_the_ref_is_a_branch(tmp_path: Path) -> None:
    event = tmp_path / "event.json"
    variables = {**GITHUB, "GITHUB_REF": "refs/heads/main", "GITHUB_EVENT_PATH": str(event)}
    event.write_text(json.dumps({"pull_request": {"number": 8}}))
    assert GitHub().request(variables).words == "pull request 8 of octo/web"

    for told in ("{}", "[]", "nonsense", '{"pull_request": {"number": "8"}}', '{"pull_request": null}'):
        event.write_text(told)
        with pytest.raises(ReviewFailed, match="does not run for a pull request"):
            GitHub().request(variables)


def test_a_forks_pipeline_comments_in_the_project_of_the_merge_request() -> None:
    variables = {
        **GITLAB,
        "CI_MERGE_REQUEST_PROJECT_ID": "34",
        "CI_MERGE_REQUEST_PROJECT_PATH": "octo/web",
        "CI_MERGE_REQUEST_PROJECT_URL": "https://gitlab.example/octo/web",
    }
    found = GitLab().request(variables)
    assert "/projects/34/merge_requests/3/" in found.comments
    assert found.words == "merge request 3 of octo/web"
    assert found.page == "https://gitlab.example/octo/web/-/merge_requests/3"


def test_gitlabs_job_token_is_said_not_to_do() -> None:
    with pytest.raises(ReviewFailed, match="CI_JOB_TOKEN may not comment") as raised:
        GitLab().request({**without(GITLAB, "GITLAB_TOKEN"), "CI_JOB_TOKEN": "x"})
    assert "api" in (raised.value.fix or "")


def test_an_account_on_bitbucket_needs_its_address() -> None:
    variables = {**without(BITBUCKET, "BITBUCKET_ACCESS_TOKEN"), "BITBUCKET_API_TOKEN": "abc"}
    with pytest.raises(ReviewFailed, match="BITBUCKET_EMAIL is not set"):
        Bitbucket().request(variables)
    assert Bitbucket().request({**variables, "BITBUCKET_EMAIL": "a@b.example"}).user == "a@b.example"


def test_a_number_that_is_none_is_refused() -> None:
    with pytest.raises(ReviewFailed, match="BITBUCKET_PR_ID is not a number"):
        Bitbucket().request({**BITBUCKET, "BITBUCKET_PR_ID": "../5"})
