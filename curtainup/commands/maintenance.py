"""`maintenance`: users of an environment get a page and status 503, until it is switched off."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime

from curtainup.commands import maintenance_page
from curtainup.engine import deployer
from curtainup.environments import maintaining
from curtainup.environments.view import EnvironmentView
from curtainup.images import origin
from curtainup.model.maintenance import Maintenance
from curtainup.pipeline.run.record import Recorder
from curtainup.pipeline.run.steps import Progress, Steps
from curtainup.session import Session


@dataclass(frozen=True)
class Switched:
    """What came of it.

    Attributes:
        environment: its name.
        maintenance: whether maintenance is on now.
        since: when it was switched on, UTC, ISO 8601; None if it is off.
        by: who did; None if it is off.

    """

    environment: str
    maintenance: bool
    since: str | None
    by: str | None


def switch(session: Session, recorder: Recorder, env: str, *, on: bool, message: str | None) -> Switched:
    """Switch the maintenance of an environment on or off; it may be so already.

    Args:
        session: the command's collaborators.
        recorder: keeps the record of this run.
        env: the environment.
        on: whether users get the page.
        message: what the page says; None takes the service's own page, or one that says little.

    Raises:
        ConfigError: the service's own page cannot be shown.
        RefusedError: the environment cannot be in maintenance, or another repository has deployed it.
        CurtainupError: the update failed.

    """
    origin.require_own(session)
    session = session.at(env)
    view = EnvironmentView(session, env)
    maintaining.require(view)
    wanted = _wanted(session, view, message) if on else None

    def work(progress: Progress) -> None:
        if not maintaining.switch(session, view, wanted, progress.say):
            progress.note = "it was so already"

    steps = Steps(session.run.report, recorder, session.run.cancelled)
    name = "on" if on else "off"
    steps.run(f"maintenance-{name}", f"switch maintenance of {env} {name}", work)
    return Switched(env, on, wanted.since if wanted else None, wanted.by if wanted else None)


def _wanted(session: Session, view: EnvironmentView, message: str | None) -> Maintenance:
    """Return the maintenance that is to be on; one with the same page goes on as it is."""
    folder = session.state.workspace.service_dir
    page = maintenance_page.of(session.service.config.name, view.config, folder, message)
    known = view.maintenance
    if known is not None and known.page == page:
        return known
    since = known.since if known else datetime.now(UTC).isoformat(timespec="seconds")
    return Maintenance(page=page, since=since, by=deployer.name(os.environ))
