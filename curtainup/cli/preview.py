"""`curtainup preview`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from curtainup.cli.shared import common, reviews

if TYPE_CHECKING:
    from collections.abc import Sequence

    from curtainup.model.preview import StackPreview
    from curtainup.session import Session

EXAMPLE = "Example: curtainup preview examples/hello"


def run(
    service: common.Service = Path(),
    config: common.Config = None,
    env_file: common.EnvFile = None,
    dirty: Annotated[
        bool, typer.Option("--dirty", help="Include uncommitted changes to tracked files.")
    ] = False,
    json: common.Json = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print Markdown.")] = False,
    post: Annotated[
        bool,
        typer.Option(
            "--post",
            help="Also write it as a comment on this CI job's pull or merge request; later runs update it.",
        ),
    ] = False,
    save: Annotated[
        Path | None,
        typer.Option(
            "--save",
            metavar="FILE",
            help="Also save it as a plan, for `curtainup deploy --plan FILE`.",
            dir_okay=False,
        ),
    ] = None,
    rehearsal: common.Rehearsal = False,
    quiet: common.Quiet = False,
) -> None:
    """Show what the next deployment would change in each stack.

    Changes nothing itself. Marks a change as dangerous if it replaces or removes something that holds data or
    traffic. Exit code 0: no changes; 2: changes; 24: the comment could not be written.
    """
    from dataclasses import asdict

    from curtainup.commands.preview.compute import preview

    if json and markdown:
        raise typer.BadParameter("give --json or --markdown, not both")
    session = common.session(service, config, quiet=quiet or json, rehearsal=rehearsal, env_file=env_file)
    whole = preview(session, dirty=dirty)
    found = whole.stacks
    if save is not None:
        from curtainup.commands.preview import plan
        from curtainup.pipeline.plan import plan as plans

        plans.save(plan.of(session, whole), save)
    if json:
        common.print_json([asdict(one) for one in found])
    elif markdown:
        from curtainup.commands.preview import markdown as preview_markdown

        common.show(
            preview_markdown.render(session.service.config.name, found, redact=session.service.redact.ours)
        )
    else:
        from curtainup.commands.preview import text as preview_text

        common.show(preview_text.render(found, session.service.redact.ours))
    if post:
        _post(session, found, config)
    if whole.changed:
        raise typer.Exit(2)


def _post(session: Session, found: Sequence[StackPreview], config: str | None) -> None:
    import sys
    from functools import partial

    import requests

    from curtainup.commands.preview import markdown as preview_markdown
    from curtainup.reporting import review

    sys.stdout.flush()
    name = session.service.config.name
    text = partial(preview_markdown.render, name, found, redact=session.service.redact.ours)
    with requests.Session() as http:
        written = review.post(text, reviews.subject(name, config), session.service.environ, http)
    session.run.report.info(f"comment {written.action}" + (f": {written.url}" if written.url else ""))
