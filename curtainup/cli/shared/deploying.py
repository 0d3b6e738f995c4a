"""What `deploy` and `rehearse` do alike once they know what was asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from curtainup.cli.shared import reviews

if TYPE_CHECKING:
    from curtainup.commands.review import Reviewed
    from curtainup.pipeline.options import Options
    from curtainup.pipeline.result import Result
    from curtainup.session import Session


def nothing(_result: Any) -> None:
    """Print nothing of a result."""


def run(
    session: Session,
    command: str,
    options: Options,
    env: str | None,
    *,
    config: str | None,
    post: bool,
    tell: Callable[[Any], None],
    wait: float | None = None,
) -> Result | Reviewed:
    """Deploy to staging and live, or to the review environment that was named, and tell what came of it."""
    session.begin()
    from curtainup.commands.deploy import deploy
    from curtainup.model.names import LIVE
    from curtainup.pipeline.run import recorded as runs

    if env is not None:
        return reviews.deploy(session, command, options, env, config=config, post=post, tell=tell, wait=wait)
    result = runs.recorded(
        session,
        command,
        lambda recorder: deploy(session, recorder, options),
        environment=options.only or LIVE,
        wait=wait,
    )
    tell(result)
    host = session.at(options.only or LIVE).accounts.host
    if result.url and (opened := host.opened(result.url)):
        session.run.report.info(opened)
    return result
