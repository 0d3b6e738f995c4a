"""`curtainup destroy`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from curtainup.cli.shared import common, complete, reviews

EXAMPLE = "Example: curtainup destroy examples/hello --env staging"


def run(
    service: common.Service = Path(),
    env: Annotated[
        str | None,
        typer.Option(
            "--env",
            help="Remove only this environment.",
            show_default="all, and the images and registry",
            autocompletion=complete.environments,
        ),
    ] = None,
    confirm: Annotated[
        str | None,
        typer.Option("--confirm", metavar="NAME", help="The service's name; needed to remove live."),
    ] = None,
    yes: common.Yes = False,
    post: reviews.Post = False,
    config: common.Config = None,
    rehearsal: common.Rehearsal = False,
    fault: common.Fault = None,
    quiet: common.Quiet = False,
) -> None:
    """Remove a service's environments, images and registry.

    Without --env it removes everything, review environments included. In a terminal it asks first. To remove
    live, you have to give the service's name.
    """
    from curtainup.commands.destroy import destroy, environments_of
    from curtainup.config.review import is_review
    from curtainup.pipeline.run import recorded as runs

    if post and not (env and is_review(env)):
        raise typer.BadParameter("--post needs --env review-NAME")
    session = common.session(
        service,
        config,
        quiet=quiet,
        with_secrets=False,
        rehearsal=rehearsal,
        faults=tuple(fault or ()),
    )
    names = environments_of(session, env)
    if sys.stdin.isatty():
        confirm = _asked(session.service.config.name, names, confirm, yes=yes)
    session.run.report.info(f"to be removed: {', '.join(names) or 'no environment'}")
    runs.recorded(
        session,
        "destroy",
        lambda recorder: destroy(session, recorder, env, confirm),
        environment=env or "live",
    )
    if env and post:
        from curtainup.commands import review_comment

        reviews.post_environment(session, config, review_comment.removed(session.service.config.name, env))


def _asked(service: str, names: list[str], confirm: str | None, *, yes: bool) -> str | None:
    """Ask the person at the terminal; live asks for the service's name, whatever else was said.

    Returns:
        The name that confirms the end of live, if it was given.

    Raises:
        RefusedError: the answer was no.

    """
    if "live" in names and confirm is None:
        return common.answer(f"This removes {service} from live. Type the service's name to confirm")
    if names and not yes and confirm is None:
        common.require_agreed(f"Remove {', '.join(names)} of {service}?", service)
    return confirm
