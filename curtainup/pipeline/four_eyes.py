"""Four eyes: somebody else than who has deployed a release gives it live's traffic.

This is a guard rail and no security: people are told apart by the names that their machines or CI jobs give
them, and whoever can deploy can also change `four_eyes`.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from curtainup.engine import deployer
from curtainup.environments import history
from curtainup.errors import RefusedError

if TYPE_CHECKING:
    from curtainup.environments.rollout import Rollout
    from curtainup.model.release import Release
    from curtainup.pipeline.options import Options
    from curtainup.session import Session


def apply(session: Session) -> bool:
    """Return whether the rule is for this run; a rehearsal has nobody else to ask."""
    return session.service.config.four_eyes and session.accounts.rehearsal is None


def require_hold(session: Session, options: Options) -> None:
    """Check that a deployment to live leaves the traffic to somebody else.

    Raises:
        RefusedError: it would move the traffic itself.

    """
    if options.hold or not apply(session):
        return
    raise RefusedError(
        "four_eyes: a release gets live's traffic from somebody else than who has deployed it",
        where="pym-config.yaml",
        consequence="nothing was built, and staging and live are as they were",
        fix="curtainup deploy --hold; then somebody else runs curtainup promote",
    )


def require_another(session: Session, live: Rollout, held: Release) -> None:
    """Check that whoever promotes a candidate has not deployed it.

    Raises:
        RefusedError: it is the same person, or nobody knows who has deployed it.

    """
    if not apply(session):
        return
    updates = session.state.memory.updates(live.environment.stack)
    made = history.occasions(live.deployment, updates).get(held.id)
    by, this = made.by if made else "", deployer.name(os.environ)
    if by and deployer.person(by) != deployer.person(this):
        return
    who = (
        f"{by} has deployed {held.version}, and this is {this}"
        if by
        else f"it is not known who deployed {held.version}"
    )
    raise RefusedError(
        f"four_eyes: {who}",
        where=f"stack {live.environment.stack}",
        consequence="traffic has not moved, and the candidate stays held",
        fix="let somebody else run curtainup promote"
        if by
        else "curtainup deploy --hold again, then let somebody else promote it",
    )
