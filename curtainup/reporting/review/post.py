"""Finds the request that a job runs for, and creates or edits curtainup's comment on it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

import requests

from curtainup.errors import ReviewFailed
from curtainup.reporting.review.api import Comments, Later, Refused
from curtainup.reporting.review.bitbucket import Bitbucket
from curtainup.reporting.review.github import GitHub
from curtainup.reporting.review.gitlab import GitLab
from curtainup.reporting.review.models import Host, Request, Style, Written
from curtainup.reporting.review.parts import Layout, Part

HOSTS: Mapping[str, Host] = {"github": GitHub(), "gitlab": GitLab(), "bitbucket": Bitbucket()}
TRIES = 4
PATIENCE = 150.0
"""Seconds that all waits for a host may take together; a longer rate limit is an error."""
SUMMARY_ROOM = 250_000
"""Characters in a job's summary: GitHub drops one of more than 1 MiB, at up to four bytes a character."""
NOT_OURS = frozenset({403, 404, 410})
"""The answers to an edit if somebody else wrote the comment, with our marker in it, or if it is gone."""


def post(
    text: Callable[[Style], str],
    subject: str,
    environ: Mapping[str, str],
    http: requests.Session,
    *,
    part: Part = Part.PREVIEW,
    hosts: Mapping[str, Host] = HOSTS,
    pause: Callable[[float], None] = time.sleep,
) -> Written:
    """Write a text into the comment about a subject; if that fails, into the job's summary, if there is one.

    Args:
        text: returns the Markdown in a given style.
        subject: distinguishes this comment from curtainup's others on the request; without `>` and `)`.
        environ: the variables of the job.
        http: the session for the calls.
        part: the part of the comment that the text replaces; the other part stays as it is.
        hosts: the hosts to consider, by name.
        pause: waits for some seconds.

    Raises:
        ReviewFailed: there is no such request, or its host does not accept the comment.

    """
    try:
        host = _host(environ, hosts)
        request = host.request(environ)
        layout = Layout(host, subject)

        def compose(comment: str) -> str:
            known = layout.read(comment)
            style = Style(host.folds, layout.room(known, part), request.log)
            return layout.written(known.replacing(part, text(style)))

        return put(Comments(http, host, request), host, request, layout.marker, compose, pause)
    except ReviewFailed as error:
        place = "summary" if _summarized(text, environ) else "output"
        error.consequence = f"no comment was written; {part.value} is in this job's {place}"
        raise


def put(
    comments: Comments,
    host: Host,
    request: Request,
    marker: str,
    compose: Callable[[str], str],
    pause: Callable[[float], None],
) -> Written:
    """Edit the comment that starts with the marker, or create it; try several times if necessary.

    `compose` returns the new text for the old one, which is empty at first.

    Each try looks for the comment again, because a call that was cut off may have created it.

    Raises:
        ReviewFailed: the host refuses, or did not answer within the allowed time.

    """
    patience = PATIENCE
    for attempt in range(TRIES):
        try:
            return _write(comments, marker, compose)
        except Refused as refusal:
            raise _refused(host, request, refusal) from refusal
        except Later as trouble:
            wait = float(2**attempt) if trouble.wait is None else trouble.wait
            if wait > patience or attempt == TRIES - 1:
                raise _given_up(request, trouble, wait) from trouble
            patience -= wait
            pause(wait)
    raise AssertionError("the last try returns or raises")


def _host(environ: Mapping[str, str], hosts: Mapping[str, Host]) -> Host:
    for host in hosts.values():
        if host.runs(environ):
            return host
    names = ", ".join(host.name for host in hosts.values())
    raise ReviewFailed(
        f"this is not a CI job of {names}",
        fix="use `--post` in the job of a pull or merge request; `--markdown` prints the same text anywhere",
    )


def _write(comments: Comments, marker: str, compose: Callable[[str], str]) -> Written:
    """Edit curtainup's comment, or create one; skip comments of others that contain the same marker."""
    for one in comments.all():
        if not one.text.lstrip().startswith(marker):
            continue
        try:
            return Written("updated", comments.edit(one, compose(one.text)).url)
        except Refused as refusal:
            if refusal.status not in NOT_OURS:
                raise
    return Written("created", comments.create(compose("")).url)


def _refused(host: Host, request: Request, refusal: Refused) -> ReviewFailed:
    what, fix = {
        401: (f"{host.name} does not accept the token", host.rights),
        403: (f"the token may not comment on {request.words}", host.rights),
        404: (f"{host.name} shows this token no {request.words}", host.rights),
    }.get(
        refusal.status,
        (
            f"{host.name} did not accept the comment on {request.words} (HTTP {refusal.status})",
            "read its answer; `curtainup preview --markdown` prints the text",
        ),
    )
    return ReviewFailed(what, where=request.comments, fix=fix, detail=refusal.message)


def _given_up(request: Request, trouble: Later, wait: float) -> ReviewFailed:
    asked = f"it asks to wait {wait:.0f} s" if trouble.wait is not None else f"tried {TRIES} times"
    return ReviewFailed(
        f"the comment on {request.words} could not be written: {asked}",
        where=request.comments,
        fix="run the job again later",
        detail=trouble.what,
    )


def _summarized(text: Callable[[Style], str], environ: Mapping[str, str]) -> bool:
    """Append the text to the summary of a job of GitHub Actions; return whether there is one."""
    file = environ.get("GITHUB_STEP_SUMMARY")
    if file:
        with suppress(OSError), Path(file).open("a", encoding="utf-8") as summary:
            summary.write(text(Style(folds=True, room=SUMMARY_ROOM)) + "\n")
            return True
    return False
