"""What `deploy` and `rehearse` do alike once they know what was asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from curtainup.cli.shared import asked, reviews

if TYPE_CHECKING:
    from curtainup.pipeline.options import Options
    from curtainup.session import Session


def run(
    session: Session,
    command: str,
    options: Options,
    env: str | None,
    *,
    config: str | None,
    post: bool,
    json: bool,
    wait: float | None = None,
) -> None:
    """Deploy to staging and live, or to the review environment that was named, and print what came of it."""
    session.begin()
    from curtainup.commands.deploy import deploy
    from curtainup.model.names import LIVE
    from curtainup.pipeline.run import recorded as runs

    if env is not None:
        reviews.deploy(session, command, options, env, config=config, post=post, json=json, wait=wait)
        return
    result = runs.recorded(
        session,
        command,
        lambda recorder: deploy(session, recorder, options),
        environment=options.only or LIVE,
        wait=wait,
    )
    asked.tell(result, json=json)
    host = session.at(options.only or LIVE).accounts.host
    if result.url and (opened := host.opened(result.url)):
        session.run.report.info(opened)
