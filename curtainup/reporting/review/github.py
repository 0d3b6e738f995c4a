"""GitHub and GitHub Enterprise Server: issue comments, because every pull request is an issue.

Source: GitHub's REST API documentation, version 2022-11-28: "Issue comments", "Using pagination", "Rate
limits", and GitHub Actions' "Variables reference".
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import requests
from requests.auth import AuthBase

from curtainup.errors import ReviewFailed
from curtainup.reporting.review.models import Comment, Page, Request
from curtainup.reporting.review.variables import Header, token, variable
from curtainup.util.files import read_bounded

ON_PULL_REQUEST = "run the job `on: pull_request`"
SET_BY_ACTIONS = "run curtainup in a job of GitHub Actions, which sets it"


class GitHub:
    """GitHub's API."""

    name = "GitHub"
    room = 65_536  # "body is too long (maximum is 65536 characters)"; not in the documentation
    folds = True
    rights = (
        "give the job `permissions: {pull-requests: write}` and the step "
        "`env: {GITHUB_TOKEN: ${{ github.token }}}`; a pull request from a fork gets no token that may write"
    )
    headers: Mapping[str, str] = {
        "Accept": "application/vnd.github+json",
        "X-GitHub-Api-Version": "2022-11-28",
    }
    listing: Mapping[str, str] = {"per_page": "100"}
    editing = "PATCH"

    def runs(self, environ: Mapping[str, str]) -> bool:
        """Return whether GitHub Actions runs the job."""
        return environ.get("GITHUB_ACTIONS") == "true"

    def request(self, environ: Mapping[str, str]) -> Request:
        """Return the pull request of `GITHUB_REF`, else of the event that started the job."""
        api = variable(environ, "GITHUB_API_URL", self.name, SET_BY_ACTIONS).rstrip("/")
        repository = variable(environ, "GITHUB_REPOSITORY", self.name, SET_BY_ACTIONS)
        number = self._number(environ)
        issues = f"{api}/repos/{quote(repository)}/issues"
        site = f"{environ.get('GITHUB_SERVER_URL', 'https://github.com')}/{repository}"
        run = environ.get("GITHUB_RUN_ID")
        return Request(
            f"pull request {number} of {repository}",
            f"{issues}/{number}/comments",
            f"{issues}/comments",
            token(environ, "GITHUB_TOKEN", self.name, self.rights),
            page=f"{site}/pull/{number}",
            log=f"{site}/actions/runs/{run}" if run else None,
        )

    def sign(self, request: Request) -> AuthBase:
        """Return the object that puts the token into a call."""
        return Header("Authorization", request.token, "Bearer")

    def marker(self, subject: str) -> str:
        """Return an HTML comment."""
        return f"<!-- curtainup preview: {subject} -->"

    def body(self, text: str) -> Mapping[str, Any]:
        """Return the JSON body that creates or changes a comment."""
        return {"body": text}

    def comment(self, said: Mapping[str, Any], request: Request) -> Comment:
        """Read a comment; the comment of a deleted account may have no text."""
        return Comment(said["id"], said.get("body") or "", said.get("html_url") or request.page)

    def page(self, answer: requests.Response, request: Request) -> Page:
        """Read a page and the query of the `next` one in its Link header."""
        comments = [self.comment(one, request) for one in answer.json()]
        following = answer.links.get("next", {}).get("url", "")
        return Page(comments, urlsplit(following).query or None)

    def _number(self, environ: Mapping[str, str]) -> int:
        ref = variable(environ, "GITHUB_REF", self.name, SET_BY_ACTIONS)
        found = re.fullmatch(r"refs/pull/([0-9]+)/(merge|head)", ref)
        if found:
            return int(found[1])
        event = _event(environ.get("GITHUB_EVENT_PATH", ""))
        pull = event.get("pull_request")
        number = pull.get("number") if isinstance(pull, dict) else None
        if not isinstance(number, int):
            raise ReviewFailed(
                "this job does not run for a pull request", where=f"GITHUB_REF={ref}", fix=ON_PULL_REQUEST
            )
        return number


def _event(path: str) -> dict[str, Any]:
    """Return the event that started the job; empty if it is not known."""
    try:
        event = json.loads(read_bounded(Path(path))) if path else {}
    except (OSError, ValueError, RecursionError):
        return {}
    return event if isinstance(event, dict) else {}
