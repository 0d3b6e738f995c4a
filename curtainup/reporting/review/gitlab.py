"""GitLab, on gitlab.com and self-managed: notes of merge requests.

Source: GitLab's documentation, "Notes API", "REST API: pagination", "CI/CD job token" and "Predefined CI/CD
variables".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.auth import AuthBase

from curtainup.errors import ReviewFailed
from curtainup.reporting.review.models import Comment, Page, Request
from curtainup.reporting.review.variables import Header, number, token, variable
from curtainup.util.secrets import Secret

IN_MERGE_REQUEST = (
    "run the job in merge request pipelines: `rules: [{if: $CI_PIPELINE_SOURCE == 'merge_request_event'}]`"
)
SET_BY_GITLAB = "run curtainup in a job of GitLab CI, which sets it"


class GitLab:
    """GitLab's API."""

    name = "GitLab"
    room = 1_000_000  # "Notes API": the content of a note is limited to 1,000,000 characters
    folds = True
    rights = (
        "set GITLAB_TOKEN, as a masked variable, to a project access token with the scope `api` and the role "
        "Developer; pipelines of a fork do not get it"
    )
    headers: Mapping[str, str] = {"Accept": "application/json"}
    listing: Mapping[str, str] = {"per_page": "100", "sort": "asc", "order_by": "created_at"}
    editing = "PUT"

    def runs(self, environ: Mapping[str, str]) -> bool:
        """Return whether GitLab CI runs the job."""
        return environ.get("GITLAB_CI") == "true"

    def request(self, environ: Mapping[str, str]) -> Request:
        """Return the merge request; for the pipeline of a fork it is in another project."""
        api = variable(environ, "CI_API_V4_URL", self.name, SET_BY_GITLAB).rstrip("/")
        iid = number(environ, "CI_MERGE_REQUEST_IID", self.name, IN_MERGE_REQUEST)
        named = "CI_MERGE_REQUEST_PROJECT_ID" if "CI_MERGE_REQUEST_PROJECT_ID" in environ else "CI_PROJECT_ID"
        project = number(environ, named, self.name, SET_BY_GITLAB)
        notes = f"{api}/projects/{project}/merge_requests/{iid}/notes"
        site = environ.get("CI_MERGE_REQUEST_PROJECT_URL")
        path = environ.get("CI_MERGE_REQUEST_PROJECT_PATH", f"project {project}")
        return Request(
            f"merge request {iid} of {path}",
            notes,
            notes,
            self._token(environ),
            page=f"{site}/-/merge_requests/{iid}" if site else None,
            log=environ.get("CI_JOB_URL"),
        )

    def sign(self, request: Request) -> AuthBase:
        """Return the object that puts the token into a call."""
        return Header("PRIVATE-TOKEN", request.token)

    def marker(self, subject: str) -> str:
        """Return an HTML comment."""
        return f"<!-- curtainup preview: {subject} -->"

    def body(self, text: str) -> Mapping[str, Any]:
        """Return the JSON body that creates or changes a note."""
        return {"body": text}

    def comment(self, said: Mapping[str, Any], request: Request) -> Comment:
        """Read a note; system notes, which curtainup must not edit, do not start with its marker."""
        url = f"{request.page}#note_{said['id']}" if request.page else None
        return Comment(said["id"], said.get("body") or "", url)

    def page(self, answer: requests.Response, request: Request) -> Page:
        """Read a page and the query of the `next` one in its Link header, by offset or by key."""
        comments = [self.comment(one, request) for one in answer.json()]
        following = answer.links.get("next", {}).get("url", "")
        return Page(comments, urlsplit(following).query or None)

    def _token(self, environ: Mapping[str, str]) -> Secret:
        if not environ.get("GITLAB_TOKEN") and environ.get("CI_JOB_TOKEN"):
            raise ReviewFailed(
                "GITLAB_TOKEN is not set, and CI_JOB_TOKEN may not comment",
                where=f"the variables of this job of {self.name}",
                fix=self.rights,
            )
        return token(environ, "GITLAB_TOKEN", self.name, self.rights)
