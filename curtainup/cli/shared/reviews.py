"""Review environments on the command line: what several commands share, and the comment on a request."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from curtainup.commands.review import Reviewed
    from curtainup.pipeline.options import Options
    from curtainup.session import Session

Env = Annotated[
    str | None,
    typer.Option("--env", metavar="review-NAME", help="Deploy only to this review environment."),
]
Post = Annotated[
    bool,
    typer.Option(
        "--post",
        help="With --env: also write the result into curtainup's comment on this CI job's pull or merge "
        "request.",
    ),
]


def require_alone(env: str | None, options: Options, *, post: bool) -> None:
    """Check that nothing was asked for that goes with live alone, or with a review environment alone.

    Raises:
        typer.BadParameter: something was.

    """
    if env is None and post:
        raise typer.BadParameter(
            "--post needs --env; to comment with a preview, run `curtainup preview --post`"
        )
    of_live = (
        options.until,
        options.only,
        options.canary,
        options.replace_candidate,
        options.plan,
        options.during_freeze,
    )
    if env is not None and (any(of_live) or not options.metrics):
        raise typer.BadParameter(
            "--env takes none of --hold, --until, --only, --canary, --no-metrics, --replace-candidate, "
            "--plan and --during-freeze"
        )


def deploy(
    session: Session,
    command: str,
    options: Options,
    env: str,
    *,
    config: str | None,
    post: bool,
    tell: Callable[[Any], None],
    wait: float | None = None,
) -> Reviewed:
    """Deploy to a review environment, tell what came of it, and comment if that was asked for."""
    from curtainup.commands import review as reviewing
    from curtainup.commands import review_comment
    from curtainup.errors import CurtainupError
    from curtainup.pipeline.run import recorded as runs

    name = session.service.config.name
    try:
        result = runs.recorded(
            session,
            command,
            lambda recorder: reviewing.deploy(session, recorder, options, env),
            environment=env,
            wait=wait,
        )
    except CurtainupError as error:
        if post:
            _try_to_post(session, config, review_comment.failed(name, env, error))
        raise
    tell(result)
    if post:
        post_environment(session, config, review_comment.deployed(name, result))
    return result


def subject(service: str, config: str | None) -> str:
    """Return what tells the comment of a service and its configuration from those of others."""
    return f"{service}, {config}" if config else service


def post_environment(session: Session, config: str | None, text: str) -> None:
    """Write what is said of the review environment; the preview in the same comment stays.

    Raises:
        ReviewFailed: there is no such request, or its host does not take the comment.

    """
    import requests

    from curtainup.reporting import review

    safe = session.service.redact.ours(text)
    with requests.Session() as http:
        written = review.post(
            lambda _: safe,
            subject(session.service.config.name, config),
            session.service.environ,
            http,
            part=review.Part.ENVIRONMENT,
        )
    session.run.report.info(f"comment {written.action}" + (f": {written.url}" if written.url else ""))


def _try_to_post(session: Session, config: str | None, text: str) -> None:
    """Write it if that can be done: what has failed before matters more."""
    from curtainup.errors import ReviewFailed

    try:
        post_environment(session, config, text)
    except ReviewFailed as error:
        session.run.report.warn(f"no comment was written: {error.what}")
