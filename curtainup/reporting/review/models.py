"""What a request for review is, and what its comments are, on any host."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import requests
from requests.auth import AuthBase

from curtainup.util.secrets import Secret


@dataclass(frozen=True)
class Request:
    """A pull or merge request, as a job's variables tell of it.

    Attributes:
        words: how people call it.
        comments: the URL of its comments.
        comment: the URL of a single one, without the id.
        token: by which the host knows the job.
        user: whose token it is, where the host asks for both.
        page: where people read it, if known.
        log: where people read the job's output, if known.

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
    """One comment: its Markdown as it was typed, and where people read it, if known."""

    id: int
    text: str
    url: str | None


@dataclass(frozen=True)
class Page:
    """Some of a request's comments, and the query that asks for those after them, if there are any."""

    comments: Sequence[Comment]
    following: str | None


@dataclass(frozen=True)
class Written:
    """What became of a comment, and where people read it, if known."""

    action: Literal["created", "updated"]
    url: str | None


@dataclass(frozen=True)
class Style:
    """What a text has to keep to where it is shown.

    Attributes:
        folds: whether `<details>` is understood there.
        room: how many characters there are for it.
        log: where the whole text can be read, if known.

    """

    folds: bool
    room: int
    log: str | None = None


class Host(Protocol):
    """A host of repositories: what differs between their APIs."""

    @property
    def name(self) -> str:
        """What people call it."""

    @property
    def room(self) -> int:
        """How many characters a comment may have."""

    @property
    def folds(self) -> bool:
        """Whether a comment may hold `<details>`."""

    @property
    def rights(self) -> str:
        """What gives a job's token the right to comment."""

    @property
    def headers(self) -> Mapping[str, str]:
        """What each call carries besides the token."""

    @property
    def listing(self) -> Mapping[str, str]:
        """The query of the first page of comments."""

    @property
    def editing(self) -> str:
        """The method by which a comment is changed."""

    def runs(self, environ: Mapping[str, str]) -> bool:
        """Return whether these are the variables of a job of this host's CI."""

    def request(self, environ: Mapping[str, str]) -> Request:
        """Return the request that the job runs for.

        Raises:
            ReviewFailed: it runs for none, or a variable is missing.

        """

    def sign(self, request: Request) -> AuthBase:
        """Return what puts the token into a call."""

    def marker(self, subject: str) -> str:
        """Return the first line of a comment about the subject, which readers do not see."""

    def body(self, text: str) -> Mapping[str, Any]:
        """Return what a comment is created and changed with."""

    def comment(self, said: Mapping[str, Any], request: Request) -> Comment:
        """Read a comment as the API gives it."""

    def page(self, answer: requests.Response, request: Request) -> Page:
        """Read a page of comments."""
