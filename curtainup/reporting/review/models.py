"""The model of a pull or merge request and its comments, on any host."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import requests
from requests.auth import AuthBase

from curtainup.util.secrets import Secret


@dataclass(frozen=True)
class Request:
    """A pull or merge request, as a job's variables describe it.

    Attributes:
        words: its name for people.
        comments: the URL of its comments.
        comment: the URL of a single comment, without the id.
        token: the token that identifies the job to the host.
        user: the owner of the token, where the host asks for both.
        page: the URL where people read it, if known.
        log: the URL where people read the job's output, if known.

    """

    words: str
    comments: str
    comment: str
    token: Secret
    user: str | None = None
    page: str | None = None
    log: str | None = None


@dataclass(frozen=True)
class Comment:
    """One comment: its Markdown source, and the URL where people read it, if known."""

    id: int
    text: str
    url: str | None


@dataclass(frozen=True)
class Page:
    """Some of a request's comments, and the query for the next page, if there is one."""

    comments: Sequence[Comment]
    following: str | None


@dataclass(frozen=True)
class Written:
    """Whether a comment was created or updated, and the URL where people read it, if known."""

    action: Literal["created", "updated"]
    url: str | None


@dataclass(frozen=True)
class Style:
    """The rules for a text in the place that shows it.

    Attributes:
        folds: whether that place supports `<details>`.
        room: how many characters the text may have.
        log: the URL of the whole text, if known.

    """

    folds: bool
    room: int
    log: str | None = None


class Host(Protocol):
    """A host of repositories; the methods cover the differences between the APIs."""

    @property
    def name(self) -> str:
        """The host's name for people."""

    @property
    def room(self) -> int:
        """How many characters a comment may have."""

    @property
    def folds(self) -> bool:
        """Whether a comment may contain `<details>`."""

    @property
    def rights(self) -> str:
        """The fix for a job whose token may not comment."""

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers of each call, besides the token."""

    @property
    def listing(self) -> Mapping[str, str]:
        """The query of the first page of comments."""

    @property
    def editing(self) -> str:
        """The HTTP method that changes a comment."""

    def runs(self, environ: Mapping[str, str]) -> bool:
        """Return whether these are the variables of a job of this host's CI."""

    def request(self, environ: Mapping[str, str]) -> Request:
        """Return the request that the job runs for.

        Raises:
            ReviewFailed: the job runs for no request, or a variable is missing.

        """

    def sign(self, request: Request) -> AuthBase:
        """Return the object that puts the token into a call."""

    def marker(self, subject: str) -> str:
        """Return the invisible first line of a comment about the subject."""

    def body(self, text: str) -> Mapping[str, Any]:
        """Return the JSON body that creates or changes a comment."""

    def comment(self, said: Mapping[str, Any], request: Request) -> Comment:
        """Read a comment from the API's JSON."""

    def page(self, answer: requests.Response, request: Request) -> Page:
        """Read a page of comments."""
