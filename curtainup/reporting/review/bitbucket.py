"""Bitbucket Cloud: comments of pull requests.

Source: Bitbucket Cloud's REST API documentation, "Pullrequests", "Authentication methods", "Pagination", and
"Variables and secrets" of Bitbucket Pipelines.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar
from urllib.parse import quote, urlsplit

import requests
from requests.auth import AuthBase, HTTPBasicAuth

from curtainup.reporting.review.models import Comment, Page, Request
from curtainup.reporting.review.variables import Header, number, token, variable

IN_PULL_REQUEST = "run the step under `pipelines: pull-requests:`"
SET_BY_PIPELINES = "run curtainup in a step of Bitbucket Pipelines, which sets it"


@dataclass(frozen=True)
class Bitbucket:
    """Bitbucket's API; no variable of Pipelines contains its address."""

    api: str = "https://api.bitbucket.org/2.0"
    name: ClassVar[str] = "Bitbucket"
    room: ClassVar[int] = 32_767  # Data Center's "less than 32768 characters"; Cloud's is not documented
    folds: ClassVar[bool] = False  # "Mark up comments": HTML is not supported, and shown as text
    rights: ClassVar[str] = (
        "set BITBUCKET_ACCESS_TOKEN, as a secured variable, to an access token of the repository that "
        "may write pull requests; or BITBUCKET_EMAIL and BITBUCKET_API_TOKEN to those of an account"
    )
    headers: ClassVar[Mapping[str, str]] = {"Accept": "application/json"}
    listing: ClassVar[Mapping[str, str]] = {"pagelen": "100"}
    editing: ClassVar[str] = "PUT"

    def runs(self, environ: Mapping[str, str]) -> bool:
        """Return whether Bitbucket Pipelines runs the step."""
        return bool(environ.get("BITBUCKET_BUILD_NUMBER"))

    def request(self, environ: Mapping[str, str]) -> Request:
        """Return the pull request; Bitbucket runs no pipelines for pull requests from forks."""
        repository = variable(environ, "BITBUCKET_REPO_FULL_NAME", self.name, SET_BY_PIPELINES)
        pull = number(environ, "BITBUCKET_PR_ID", self.name, IN_PULL_REQUEST)
        comments = f"{self.api}/repositories/{quote(repository)}/pullrequests/{pull}/comments"
        by_account = "BITBUCKET_API_TOKEN" in environ and "BITBUCKET_ACCESS_TOKEN" not in environ
        named = "BITBUCKET_API_TOKEN" if by_account else "BITBUCKET_ACCESS_TOKEN"
        site = environ.get("BITBUCKET_GIT_HTTP_ORIGIN")
        build = environ["BITBUCKET_BUILD_NUMBER"]
        return Request(
            f"pull request {pull} of {repository}",
            comments,
            comments,
            token(environ, named, self.name, self.rights),
            user=variable(environ, "BITBUCKET_EMAIL", self.name, self.rights) if by_account else None,
            page=f"{site}/pull-requests/{pull}" if site else None,
            log=f"{site}/pipelines/results/{build}" if site else None,
        )

    def sign(self, request: Request) -> AuthBase:
        """Return the object that puts the token into a call."""
        if request.user is None:
            return Header("Authorization", request.token, "Bearer")
        return HTTPBasicAuth(request.user.encode(), request.token.reveal().encode())

    def marker(self, subject: str) -> str:
        """Return an unused link definition, because Bitbucket would show an HTML comment."""
        return f"[//]: # (curtainup preview: {subject})"

    def body(self, text: str) -> Mapping[str, Any]:
        """Return the JSON body that creates or changes a comment."""
        return {"content": {"raw": text}}

    def comment(self, said: Mapping[str, Any], request: Request) -> Comment:
        """Read a comment; a deleted comment stays in the list, without its text."""
        text = "" if said.get("deleted") else (said.get("content") or {}).get("raw") or ""
        url = said.get("links", {}).get("html", {}).get("href") or request.page
        return Comment(said["id"], text, url)

    def page(self, answer: requests.Response, request: Request) -> Page:
        """Read a page and the query of its `next` one."""
        said = answer.json()
        comments = [self.comment(one, request) for one in said["values"]]
        return Page(comments, urlsplit(said.get("next", "")).query or None)
